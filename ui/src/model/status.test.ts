import { describe, expect, it } from "vitest";

import { isBroken, isLive, RUN_STATUSES, RUN_STATUS_ORDER, runLook, STEP_STATUSES, stepLook, waitingFor } from "./status";

describe("statuses", () => {
  it("gives every run status a colour of its own", () => {
    const tones = Object.values(RUN_STATUSES).map((look) => look.tone);
    expect(new Set(tones).size).toBe(tones.length);
  });

  it("gives every status a label and an icon, so that colour never stands alone", () => {
    for (const look of [...Object.values(RUN_STATUSES), ...Object.values(STEP_STATUSES)]) {
      expect(look.label).not.toBe("");
      expect(look.icon).not.toBe("");
    }
  });

  it("knows thirteen, five of which are live and none both live and broken", () => {
    expect(RUN_STATUS_ORDER).toHaveLength(13);
    expect(RUN_STATUS_ORDER.filter(isLive)).toEqual(["queued", "running", "waiting", "paused", "draining"]);
    expect(RUN_STATUS_ORDER.filter((status) => isLive(status) && isBroken(status))).toEqual([]);
  });

  it("shows a status that it does not know as it is", () => {
    expect(runLook("dreaming").label).toBe("dreaming");
  });

  it("says of a skipped step that it was blocked", () => {
    expect(stepLook("skipped", "blocked").label).toBe("Skipped (Blocked)");
    expect(stepLook("skipped", "condition_false").label).toBe("Skipped");
  });

  it("says what a run waits for", () => {
    expect(waitingFor("approval")).toBe("an approval");
    expect(waitingFor(null)).toBeNull();
  });
});
