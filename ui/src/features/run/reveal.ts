/** On a small screen the panel lies below the graph: whoever points at a step is led to it. Keys stay where they are. */

export function revealPanel(): void {
  if (!window.matchMedia("(max-width: 1023px)").matches) return;
  requestAnimationFrame(() => document.getElementById("run-step")?.scrollIntoView({ block: "start", behavior: "smooth" }));
}

/** Go to the button that approves what waits, once it is drawn. */
export function goToDecision(): void {
  setTimeout(() => {
    const button = document.querySelector<HTMLElement>("[data-decide]");
    button?.focus({ preventScroll: true });
    button?.scrollIntoView({ block: "center" });
  }, 50);
}
