import { defineConfig } from "vite";

// One script for other people's pages: <warmline-overlay>.
export default defineConfig({
  build: {
    outDir: "../static/assets",
    emptyOutDir: false,
    lib: { entry: "src/overlay.ts", formats: ["es"], fileName: () => "warmline-overlay.js" },
  },
});
