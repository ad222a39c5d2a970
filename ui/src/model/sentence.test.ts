import { expect, it } from "vitest";

import { sentence } from "./sentence";

it("makes a sentence of the server's words", () => {
  expect(sentence("there is no field 'stauts'")).toBe("There is no field 'stauts'.");
  expect(sentence("did you mean status?")).toBe("Did you mean status?");
});
