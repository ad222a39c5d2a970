"""What every journal promises. A backend's test class inherits this and says how to make one."""

from tests.contract.append_contract import AppendContract
from tests.contract.cache_contract import CacheContract
from tests.contract.deletion_contract import DeletionContract
from tests.contract.query_contract import QueryContract
from tests.contract.value_contract import ValueContract


class JournalContract(AppendContract, CacheContract, DeletionContract, QueryContract, ValueContract):
    """Override the fixture `backend`."""
