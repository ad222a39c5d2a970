/** Copies a text, and says that it did. */

import { ActionIcon, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useState } from "react";

import { announce } from "../app/announce";

interface Props {
  value: string | (() => string);
  label?: string;
  size?: number;
}

export function CopyButton({ value, label = "Copy", size = 14 }: Props) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    setCopied(await copyText(typeof value === "function" ? value() : value));
    announce("Copied");
  };
  return (
    <Tooltip label={copied ? "Copied" : label}>
      <ActionIcon size={size + 10} aria-label={label} onClick={() => void copy()}>
        {copied ? <IconCheck size={size} color="var(--tone-green)" /> : <IconCopy size={size} />}
      </ActionIcon>
    </Tooltip>
  );
}

/** Copy the text; return whether it could be done. Over plain http browsers offer only the old way. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
