import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Puts a compressed copy beside every text that is worth it: the server sends these as they lie. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    async writeBundle({ dir = "" }, bundle) {
      for (const name of Object.keys(bundle).filter((each) => /\.(js|css|svg)$/.test(each))) {
        const source = await readFile(join(dir, name));
        const packed = gzipSync(source, { level: 9 });
        if (packed.length < source.length) await writeFile(join(dir, `${name}.gz`), packed);
      }
    },
  };
}

export default defineConfig({
  base: "./", // the console works below any path: the server writes which into the page's <base>
  plugins: [react(), compressed()],
  build: {
    outDir: "../src/runwell/console",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0, // nothing as a data: address, for the Content-Security-Policy
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_500,
  },
  server: {
    proxy: { "/v1": { target: process.env["RUNWELL_SERVER"] ?? "http://127.0.0.1:7878", ws: true } },
  },
});
