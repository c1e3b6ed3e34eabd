import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  // The window is WebKitGTK 2.50 or newer, WKWebView or WebView2; Safari 17 is the floor.
  build: { target: 'safari17', outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0 },
  server: { port: 5173, strictPort: true },
  preview: { port: 4173, strictPort: true },
  resolve: { conditions: ['browser'] },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.ts'],
    // A bound that only a defect meets, also on a machine that builds beside it.
    testTimeout: 30_000,
  },
});
