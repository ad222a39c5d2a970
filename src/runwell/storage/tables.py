"""The tables beside the journal: who may do what, workflows and their versions, connections, keys.

One description for SQLite and PostgreSQL. Moments are ms since 1970; ids are in their shown form; what is
secret is kept as a hash or sealed. Each change here needs a migration (migrations/versions).
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HEAD: Final = "0006"
"""The migration that leads to these tables."""

metadata = MetaData()

organization = Table(
    "organization",
    metadata,
    Column("org_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

project = Table(
    "project",
    metadata,
    Column("project_id", String, primary_key=True),
    Column("org_id", ForeignKey("organization.org_id"), nullable=False),
    Column("slug", String, nullable=False),
    Column("name", String, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("archived_at", BigInteger),
    UniqueConstraint("org_id", "slug"),
)

user_account = Table(
    "user_account",
    metadata,
    Column("user_id", String, primary_key=True),
    Column("email", String, nullable=False, unique=True),  # in lower case
    Column("name", String, nullable=False),
    Column("password_hash", String),
    Column("oidc_issuer", String),
    Column("oidc_subject", String),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    UniqueConstraint("oidc_issuer", "oidc_subject"),
)

membership = Table(
    "membership",
    metadata,
    Column("user_id", ForeignKey("user_account.user_id"), primary_key=True),
    Column("org_id", ForeignKey("organization.org_id"), primary_key=True),
    Column("project_id", String, primary_key=True),  # empty: the whole organization, as its admin
    Column("role", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

api_key = Table(
    "api_key",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("org_id", ForeignKey("organization.org_id"), nullable=False),
    Column("project_id", ForeignKey("project.project_id"), nullable=False),
    Column("name", String, nullable=False),
    Column("secret_hash", String, nullable=False),  # SHA-256, hex
    Column("scopes", JSON, nullable=False),
    Column("created_by", String),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
    Index("api_key_project", "project_id", "created_at"),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("user_id", ForeignKey("user_account.user_id"), nullable=False),
    Column("org_id", ForeignKey("organization.org_id"), nullable=False),
    Column("project_id", ForeignKey("project.project_id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("session_user", "user_id"),
)

one_time_token = Table(
    "one_time_token",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("purpose", String, nullable=False),  # setup, password, stream, oidc
    Column("data", JSON, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

workflow = Table(
    "workflow",
    metadata,
    Column("workflow_id", String, primary_key=True),
    Column("org_id", String, nullable=False),
    Column("project_id", String, nullable=False),
    Column("slug", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("draft", Text),  # JSON of a document, perhaps one that does not compile yet
    Column("revision", Integer, nullable=False),  # grows with every change of the draft
    Column("active_version", Integer),  # None: the newest
    Column("created_by", String),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("archived_at", BigInteger),
    UniqueConstraint("project_id", "slug"),
)

version = Table(
    "version",
    metadata,
    Column("workflow_id", ForeignKey("workflow.workflow_id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("note", Text),
    Column("created_by", String),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("workflow_id", "hash"),
)

document = Table(
    "document",
    metadata,
    Column("hash", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

connection = Table(
    "connection",
    metadata,
    Column("connection_id", String, primary_key=True),
    Column("org_id", String, nullable=False),
    Column("project_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("type", String, nullable=False),
    Column("config", JSON, nullable=False),
    Column("origins", JSON, nullable=False),
    Column("sealed", LargeBinary),
    Column("revision", Integer, nullable=False),
    Column("created_by", String),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("project_id", "name"),
)

secret = Table(
    "secret",
    metadata,
    Column("secret_id", String, primary_key=True),
    Column("org_id", String, nullable=False),
    Column("project_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("origins", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_by", String),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("project_id", "name"),
)

saved_view = Table(
    "saved_view",
    metadata,
    Column("view_id", String, primary_key=True),
    Column("org_id", String, nullable=False),
    Column("project_id", String, nullable=False),
    Column("created_by", String, nullable=False),  # who keeps it
    Column("name", String, nullable=False),
    Column("query", Text, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("sort", JSON, nullable=False),
    Column("visibility", String, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("project_id", "created_by", "name"),
)

hold = Table(
    "hold",
    metadata,
    Column("org_id", String, primary_key=True),
    Column("project_id", String, primary_key=True),
    Column("subject", String, primary_key=True),  # the id of a run, or of a workflow
    Column("workflow_id", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("held_by", String, nullable=False),
    Column("held_at", BigInteger, nullable=False),
    Index("hold_workflow", "workflow_id"),
)

pending_span = Table(
    "pending_span",
    metadata,
    Column("org_id", String, primary_key=True),
    Column("project_id", String, primary_key=True),
    Column("trace_id", String, primary_key=True),
    Column("span_id", String, primary_key=True),
    Column("is_root", Integer, nullable=False),
    Column("sent_by", String, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # until it is in a run
)

variant_document = Table(  # documents that runs were started of and that are no version
    "variant_document",
    metadata,
    Column("workflow_id", String, primary_key=True),
    Column("hash", ForeignKey("document.hash"), primary_key=True),
)

evaluator = Table(
    "evaluator",
    metadata,
    Column("evaluator_id", String, primary_key=True),
    Column("org_id", String, nullable=False),
    Column("project_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("workflow_id", String, nullable=False),
    Column("version", Integer),  # None: the one that runs start with
    Column("pass_score", Float),
    Column("created_by", String),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("project_id", "name"),
)

evaluator_attachment = Table(
    "evaluator_attachment",
    metadata,
    Column("workflow_id", String, primary_key=True),
    Column("evaluator_id", ForeignKey("evaluator.evaluator_id"), primary_key=True),
    Column("org_id", String, nullable=False),
    Column("project_id", String, nullable=False),
    Column("judges", String, nullable=False, server_default="run"),
    Column("sample_rate", Float, nullable=False),
    Column("position", BigInteger, nullable=False),  # of the journal, up to which the workflow's runs were looked at
    Column("created_at", BigInteger, nullable=False),
)

pending_evaluation = Table(
    "pending_evaluation",
    metadata,
    Column("evaluation_run_id", String, primary_key=True),
    Column("asked", Text, nullable=False),  # JSON
    Column("created_at", BigInteger, nullable=False),
)

dataset = Table(
    "dataset",
    metadata,
    Column("dataset_id", String, primary_key=True),
    Column("org_id", String, nullable=False),
    Column("project_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("description", Text, nullable=False),
    Column("version", Integer, nullable=False),  # the newest one's number, 0 for none
    Column("rows", Integer, nullable=False),  # of that version
    Column("created_by", String),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("project_id", "name"),
)

dataset_version = Table(
    "dataset_version",
    metadata,
    Column("dataset_id", ForeignKey("dataset.dataset_id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("rows", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),  # the rows, as a JSON list
    Column("note", Text),
    Column("created_by", String),
    Column("created_at", BigInteger, nullable=False),
)

experiment = Table(
    "experiment",
    metadata,
    Column("experiment_id", String, primary_key=True),
    Column("org_id", String, nullable=False),
    Column("project_id", String, nullable=False),
    Column("workflow_id", String, nullable=False),
    Column("dataset_id", String, nullable=False),
    Column("plan", Text, nullable=False),  # JSON
    Column("status", String, nullable=False),
    Column("cells", Integer, nullable=False),
    Column("created_by", String),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Index("experiment_project", "project_id", "experiment_id"),
    Index("experiment_workflow", "workflow_id"),
    Index("experiment_status", "status"),
)

experiment_cell = Table(
    "experiment_cell",
    metadata,
    Column("experiment_id", ForeignKey("experiment.experiment_id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),  # row by row, in each variant by variant
    Column("status", String, nullable=False),
    Column("body", Text, nullable=False),  # JSON
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("project_id", String, primary_key=True),
    Column("actor", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("request_hash", String, nullable=False),  # over method, path and body
    Column("run_id", String),  # chosen before the run is started, so that a second try starts no second run
    Column("status", Integer),  # None: in flight
    Column("headers", JSON),
    Column("body", LargeBinary),
    Column("created_at", BigInteger, nullable=False),
    Index("idempotency_age", "created_at"),
)
