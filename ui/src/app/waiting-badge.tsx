/** How many decisions are waited for: beside the Command Center's name, in the page's title, and said when there are more. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { MOST_TASKS, pendingTasksQuery } from "../api/tasks";
import { plural } from "../model/money";
import { announce } from "./announce";
import styles from "./side-navigation.module.css";
import { setTitleMark } from "./title";

function useWaiting(): { count: number; text: string } {
  const { data } = useQuery(pendingTasksQuery);
  const count = data?.data.length ?? 0;
  return { count, text: data?.next_cursor ? `${MOST_TASKS}+` : String(count) };
}

export function WaitingBadge() {
  const { count, text } = useWaiting();
  if (count === 0) return null;
  return (
    <span className={styles.waiting}>
      <span aria-hidden>{text}</span>
      <span className="visually-hidden">, {text} need you</span>
    </span>
  );
}

/** Once on the page, wherever the navigation is. */
export function WaitingTitle() {
  const { count, text } = useWaiting();
  const told = useRef<number | null>(null);
  useEffect(() => {
    setTitleMark(count > 0 ? `(${text}) ` : "");
    if (told.current !== null && count > told.current) announce(`${plural(count, "decision")} needed.`);
    told.current = count;
  }, [count, text]);
  return null;
}
