import svelte from 'eslint-plugin-svelte';
import ts from 'typescript-eslint';

import svelteConfig from './svelte.config.js';

/** Missing or different in WebKitGTK 2.50, the engine of the Linux window. */
const notInTheWindow = [
  'requestIdleCallback', 'scheduler', 'Temporal', 'ImageDecoder', 'EyeDropper', 'navigation',
  'showOpenFilePicker', 'showSaveFilePicker', 'PerformanceLongTaskTiming', 'EditContext',
];

/** Layers: lib/ipc < shared < domain < views. A layer imports itself and those before it. */
const above = {
  'src/lib': ['shared', 'domain', 'views'],
  'src/shared': ['domain', 'views'],
  'src/domain': ['views'],
};

const tauriOnlyInTheSeam = {
  group: ['@tauri-apps/*'],
  message: 'Only src/lib/ipc/tauri.ts talks to Tauri; use the host seam.',
};

const noStyleAttributes = {
  name: 'bits-ui',
  importNames: ['Command'],
  message: 'Its markup carries style attributes, which the window refuses.',
};

export default ts.config(
  { ignores: ['dist/**', 'dist-fake/**', 'src/lib/ipc/generated/**'] },
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig, extraFileExtensions: ['.svelte'] } },
  },
  {
    rules: {
      'no-restricted-globals': ['error', ...notInTheWindow],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
      'max-lines': ['error', { max: 600 }],
      'svelte/no-at-html-tags': 'error',
      // `style="…"` is refused by the window's content policy; `style:prop` sets it from script.
      'no-restricted-syntax': ['error', { selector: 'SvelteAttribute[key.name="style"]', message: 'Use style:prop directives.' }],
      // Maps and sets here are either private bookkeeping or replaced whole in $state.raw.
      'svelte/prefer-svelte-reactivity': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-imports': ['error', { paths: [noStyleAttributes], patterns: [tauriOnlyInTheSeam] }],
    },
  },
  ...Object.entries(above).map(([root, layers]) => ({
    files: [`${root}/**`],
    rules: {
      'no-restricted-imports': ['error', {
        paths: [noStyleAttributes],
        patterns: [tauriOnlyInTheSeam, ...layers.map((layer) => ({
          group: [`**/${layer}/**`],
          message: `${root} is below ${layer}: imports go upward only.`,
        }))],
      }],
    },
  })),
  { files: ['src/lib/ipc/tauri.ts'], rules: { 'no-restricted-imports': 'off' } },
);
