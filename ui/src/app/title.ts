/** The page's title: what one looks at first, then how much waits for one, then whose it is. */

import { useEffect } from "react";

let mark = "";
let words = "";

function show(): void {
  document.title = `${mark}${words ? `${words} · ` : ""}Runwell`;
}

export function useTitle(title: string): void {
  useEffect(() => {
    words = title;
    show();
  }, [title]);
}

/** Set what stands before every title, as `(3) `; empty for nothing. */
export function setTitleMark(text: string): void {
  mark = text;
  show();
}
