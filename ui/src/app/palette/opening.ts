import { opening } from "../opening";

export const palette = opening();
export const openPalette = palette.open;
