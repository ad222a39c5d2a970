/** The one design, as Mantine's theme. Colours of statuses are in theme.css. */

import { createTheme, type MantineColorsTuple } from "@mantine/core";

const accent: MantineColorsTuple = [
  "#eff1fe", "#dfe3fc", "#bdc5f6", "#98a4f0", "#7a89ea", "#6474e4", "#5263db", "#4351c4", "#3a47ae", "#303b95",
]; // prettier-ignore

const gray: MantineColorsTuple = [
  "#fafafb", "#f4f4f6", "#e9e9ed", "#dddde2", "#c6c6cd", "#9e9ea8", "#696973", "#55555e", "#3b3b43", "#222228",
]; // prettier-ignore

const dark: MantineColorsTuple = [
  "#e6e6ea", "#bcbcc5", "#9595a0", "#6e6e79", "#3c3c44", "#2d2d34", "#24242a", "#18181c", "#131316", "#0d0d0f",
]; // prettier-ignore

const red: MantineColorsTuple = [
  "#fff0f0", "#ffdede", "#f9bcbe", "#f3979a", "#ee777b", "#e45a5f", "#cf363c", "#b82b31", "#a3242a", "#8d1b21",
]; // prettier-ignore

export const theme = createTheme({
  primaryColor: "accent",
  primaryShade: 6,
  colors: { accent, gray, dark, red },
  black: "#1b1b20",
  defaultRadius: 6,
  radius: { xs: "3px", sm: "4px", md: "6px", lg: "8px", xl: "12px" },
  spacing: { xs: "8px", sm: "12px", md: "16px", lg: "24px", xl: "32px" },
  fontFamily: '"Inter Variable", ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: '"JetBrains Mono Variable", ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  lineHeights: { xs: "1.35", sm: "1.45", md: "1.5", lg: "1.5", xl: "1.4" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "20px", lineHeight: "28px" },
      h2: { fontSize: "16px", lineHeight: "24px" },
      h3: { fontSize: "14px", lineHeight: "20px" },
    },
  },
  cursorType: "pointer",
  respectReducedMotion: true,
  focusRing: "auto",
  components: {
    Button: { defaultProps: { size: "xs", variant: "default" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    TextInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm" } },
    Checkbox: { defaultProps: { size: "xs" } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false, fz: 12 } },
    // Within the page, as what lies beside it is in no landmark; fixed, so that nothing cuts it off.
    Menu: { defaultProps: { shadow: "sm", withinPortal: false, floatingStrategy: "fixed", withInitialFocusPlaceholder: false } },
    Popover: { defaultProps: { shadow: "sm", withinPortal: true } },
    Modal: {
      styles: { title: { fontSize: 16, fontWeight: 600 } },
      defaultProps: { centered: true, closeButtonProps: { "aria-label": "Close" }, overlayProps: { backgroundOpacity: 0.35 } },
    },
  },
});
