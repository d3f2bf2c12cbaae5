import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';
import { txParameter } from './scripts/eslint/tx-parameter.mjs';

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      'build/',
      'coverage/',
      'node_modules/',
      '.local/',
      'test/clients/flows/',
      'test/clients/generated/',
    ],
  },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': [
        'error',
        // A DTO or an injected class must be imported as a value: its decorators need it at run time.
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      // An implementation of an asynchronous interface needn't have anything to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
      // Nest modules are classes with decorators and no members.
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { local: { rules: { 'tx-parameter': txParameter } } },
    rules: { 'local/tx-parameter': 'error' },
  },
  {
    // The Swagger plugin refers to the classes that properties name.
    files: ['**/*.dto.ts'],
    rules: {
      '@typescript-eslint/consistent-type-imports': 'off',
      'no-restricted-imports': [
        'error',
        {
          name: 'class-validator',
          importNames: ['ValidateNested'],
          message: 'Use NestedObject, which lets no list pass.',
        },
      ],
    },
  },
  {
    // Modules whose documents are owned (docs/adr/0016-access-scope.md): all but those whose documents are the person.
    files: ['src/modules/**/*.ts'],
    ignores: ['src/modules/{auth,users}/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "Property[key.name='user'][value.name='userId']",
          message: 'Use ...ownedBy(userId).filter, which alone says what ownership is.',
        },
      ],
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  {
    files: ['bench/**/*.mjs'],
    languageOptions: { globals: { Buffer: 'readonly', fetch: 'readonly', performance: 'readonly' } },
  },
  {
    // Runs in the reader's browser.
    files: ['src/**/*.js'],
    languageOptions: {
      globals: {
        document: 'readonly',
        fetch: 'readonly',
        history: 'readonly',
        location: 'readonly',
        URLSearchParams: 'readonly',
      },
    },
  },
);
