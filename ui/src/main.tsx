import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "@mantine/core/styles.css";
import "./app/theme.css";

import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { styleNonce } from "./app/page-place";
import { queryClient } from "./app/query-client";
import { router } from "./app/router";
import { theme } from "./app/theme";

if (styleNonce) setNonce(styleNonce);

// The server was upgraded, and what this page would load is gone: the new page knows where it is.
window.addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem("runwell.reloaded") ?? 0);
  if (Date.now() - last < 60_000) return;
  sessionStorage.setItem("runwell.reloaded", String(Date.now()));
  location.reload();
});

const place = document.getElementById("root");
if (!place) throw new Error("index.html has no #root");

createRoot(place).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => styleNonce}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
