import { opening } from "./opening";

export const shortcutsList = opening();
export const openShortcuts = shortcutsList.open;
