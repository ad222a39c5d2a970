import { describe, expect, it } from "vitest";

import { ago, between, clockTime, dayMoment, dayOf, duration, fullMoment, shortMoment, startOfDay } from "./time";

const AT = "2026-06-12T03:23:07.832Z";
const NOON = Date.parse("2026-06-12T12:00:00Z");

describe("durations", () => {
  it.each([
    [0, "0 ms"],
    [832, "832 ms"],
    [4_217, "4.2 s"],
    [9_960, "10 s"],
    [59_499, "59 s"],
    [59_600, "1 min 00 s"],
    [187_000, "3 min 07 s"],
    [7_440_000, "2 h 04 min"],
    [442_800_000, "5 d 3 h"],
    [-832, "-832 ms"],
  ])("%d ms is %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe("moments", () => {
  it("are told in the zone that was chosen", () => {
    expect(fullMoment(AT, "UTC")).toBe("Jun 12, 2026, 03:23:07");
    expect(fullMoment(AT, "Asia/Tokyo")).toBe("Jun 12, 2026, 12:23:07");
  });

  it("are as short as can be", () => {
    expect(shortMoment(AT, NOON, "UTC")).toBe("03:23:07");
    expect(shortMoment("2026-06-10T03:23:07Z", NOON, "UTC")).toBe("Jun 10, 03:23");
    expect(shortMoment("2025-06-10T03:23:07Z", NOON, "UTC")).toBe("Jun 10, 2025, 03:23");
  });

  it("show milliseconds on demand", () => {
    expect(clockTime(AT, "UTC", true)).toBe("03:23:07.832");
  });

  it.each([
    [3_000, "just now"],
    [45_000, "45 s ago"],
    [240_000, "4 min ago"],
    [3 * 86_400_000, "3 d ago"],
    [-240_000, "in 4 min"],
  ])("%d ms before now is %s", (before, text) => {
    expect(ago(NOON - before, NOON)).toBe(text);
  });

  it("have a distance only when both are known", () => {
    expect(between(AT, null)).toBeNull();
    expect(between("2026-06-12T03:23:07Z", "2026-06-12T03:23:08Z")).toBe(1000);
  });
});

describe("days", () => {
  it.each([
    ["2026-06-12", "UTC", "2026-06-12T00:00:00Z"],
    ["2026-06-12", "Europe/Berlin", "2026-06-11T22:00:00Z"],
    ["2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z"],
    ["2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00Z"],
    ["2026-06-12", "America/Los_Angeles", "2026-06-12T07:00:00Z"],
    ["2026-06-12", "Asia/Kolkata", "2026-06-11T18:30:00Z"],
  ])("%s in %s begins at %s", (day, zone, moment) => {
    expect(startOfDay(day, zone)).toBe(moment);
    expect(dayOf(moment, zone)).toBe(day);
    expect(dayMoment(moment, zone)).not.toContain(":");
  });

  it("can be counted on", () => {
    expect(startOfDay("2026-12-31", "UTC", 1)).toBe("2027-01-01T00:00:00Z");
  });
});
