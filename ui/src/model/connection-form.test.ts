import { expect, test } from "vitest";

import { bodyOf, draftOf, faultsOf, NEW_CONNECTION } from "./connection-form";

test("what was not typed is not sent: credentials that are kept stay", () => {
  const stored = { name: "desk", type: "http", base_url: "https://desk.example", allowed_origins: ["https://desk.example"], headers: { "X-Team": "a" }, limits: { timeout_s: 5 } }; // prettier-ignore
  expect(bodyOf(draftOf(stored))).toEqual({
    base_url: "https://desk.example",
    headers: { "X-Team": "a" },
    allowed_origins: ["https://desk.example"],
    limits: { max_concurrent: null, requests_per_minute: null, timeout_s: 5 },
  });
});

test("credentials are headers or a key, as the type has it", () => {
  const typed = { ...NEW_CONNECTION, name: "a", apiKey: "sk", secretHeaders: [{ name: " Authorization ", value: "Bearer x" }, { name: "", value: "y" }] }; // prettier-ignore
  expect(bodyOf(typed)).toMatchObject({ secret_headers: { Authorization: "Bearer x" } });
  expect(bodyOf(typed)).not.toHaveProperty("api_key");
  expect(bodyOf({ ...typed, type: "openai" })).toMatchObject({ api_key: "sk" });
  expect(bodyOf({ ...typed, type: "openai" })).not.toHaveProperty("secret_headers");
});

test("faults are told by field", () => {
  expect(faultsOf({ ...NEW_CONNECTION, name: "Desk 1", concurrent: "0", timeout: "-1" })).toEqual({
    name: expect.stringContaining("Lower case") as string,
    concurrent: expect.stringContaining("10,000") as string,
    timeout: expect.stringContaining("3,600") as string,
  });
  expect(faultsOf({ ...NEW_CONNECTION, name: "desk-1" })).toEqual({});
});
