import { defineConfig } from "vite";

// The pages that the gateway serves.
export default defineConfig({
  build: {
    outDir: "../static",
    emptyOutDir: true,
    rollupOptions: { input: { index: "index.html", overlay: "overlay.html", replay: "replay.html", search: "search.html", rules: "rules.html", knowledge: "knowledge.html", customer: "customer.html", segments: "segments.html", health: "health.html" } },
  },
});
