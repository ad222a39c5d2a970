/** One trial: the variants' answers as they come. A new one, and leaving, end the one before. */

import { useCallback, useEffect, useRef, useState } from "react";

import { tryVariants, type Asked } from "../../api/playground";
import { announce } from "../../app/announce";
import { cutOff, told, WAITING, type Outcome, type PlaygroundMessage } from "../../model/playground";

export interface Trial {
  /** By the variants' keys, as they were when it began. */
  keys: number[];
  outcomes: Outcome[];
  since: string | null;
  input: unknown;
  error: unknown;
}

const NONE: Trial = { keys: [], outcomes: [], since: null, input: null, error: null };

export function useTrial(): { trial: Trial; start: (asked: Asked, keys: number[], input: unknown) => void; stop: () => void } {
  const [trial, setTrial] = useState(NONE);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const start = useCallback((asked: Asked, keys: number[], input: unknown) => {
    running.current?.abort();
    const connection = new AbortController();
    running.current = connection;
    setTrial({ keys, outcomes: keys.map(() => WAITING), since: new Date().toISOString(), input, error: null });
    announce("Started");
    const isMine = () => running.current === connection;
    const waiting: PlaygroundMessage[] = [];
    let frame = 0;
    const flush = () => {
      frame = 0;
      const messages = waiting.splice(0);
      if (isMine()) setTrial((now) => ({ ...now, outcomes: told(now.outcomes, messages) }));
    };
    const onMessage = (message: PlaygroundMessage) => {
      waiting.push(message);
      frame ||= requestAnimationFrame(flush);
    };
    const end = (error: unknown) => {
      cancelAnimationFrame(frame);
      flush();
      if (!isMine()) return;
      running.current = null;
      setTrial((now) => ({
        ...now,
        outcomes: error && now.outcomes.every((each) => each.kind === "waiting") ? [] : cutOff(now.outcomes),
        since: null,
        error,
      }));
      announce(error ? "The trial failed" : "All variants have ended");
    };
    tryVariants(asked, connection.signal, onMessage).then(
      () => end(null),
      (error: unknown) => end(connection.signal.aborted ? null : error),
    );
  }, []);
  const stop = useCallback(() => running.current?.abort(), []);
  return { trial, start, stop };
}
