/**
 * Who may import whom (docs/architecture.md says why): contracts and config nothing internal, common those two,
 * platform those and common, a module all of these but no other module, and only the entries everything.
 * @type {import('dependency-cruiser').IConfiguration}
 */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'contracts-and-config-stand-alone',
      severity: 'error',
      from: { path: '^src/(contracts|config)/' },
      to: { path: '^src/', pathNot: '^src/(contracts|config)/' },
    },
    {
      name: 'common-knows-contracts-and-config',
      severity: 'error',
      from: { path: '^src/common/' },
      to: { path: '^src/', pathNot: '^src/(common|contracts|config)/' },
    },
    {
      name: 'platform-knows-no-module',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^src/', pathNot: '^src/(platform|common|contracts|config)/' },
    },
    {
      name: 'modules-know-no-other-module',
      severity: 'error',
      from: { path: '^src/modules/([^/]+)/' },
      to: { path: '^src/', pathNot: '^src/(modules/$1|platform|common|contracts|config)/' },
    },
    {
      name: 'manifests-are-data',
      comment: 'So that commands and the generator read them without loading the modules.',
      severity: 'error',
      from: { path: '^src/modules/[^/]+/[^/]+\\.manifest\\.ts$' },
      to: { pathNot: '^src/contracts/', dynamic: false },
    },
    {
      name: 'schemas-stay-in-their-module',
      comment: 'A Mongoose document never leaves its module.',
      severity: 'error',
      from: { pathNot: '^src/(modules|platform)/' },
      to: { path: '^src/modules/[^/]+/schemas/' },
    },
    {
      name: 'the-service-knows-no-tools',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(local|test|bench|scripts)/' },
    },
    {
      name: 'what-reports-stays-in-its-files',
      comment: 'So that it is loaded where an operator wants it, and nowhere else.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/platform/observability/(tracing/(telemetry|prometheus-producer|sampler)|errors/sentry)\\.ts$',
      },
      to: { path: 'node_modules/@(opentelemetry/(?!api/)|sentry/)' },
    },
    {
      name: 'what-reports-is-loaded-when-wanted',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/platform/observability/(tracing/telemetry|errors/sentry)\\.ts$', dynamic: false },
    },
    {
      name: 'the-service-needs-no-dev-dependency',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.(spec|int-spec)\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/|^test/clients/(flows|generated)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
