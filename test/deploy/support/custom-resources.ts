/**
 * The custom resources that k8s/ uses, with the fields it uses, from their operators' references. Closed: a manifest with a
 * field that isn't here doesn't compile (manifests.ts), and neither does one with a value outside its list.
 */
interface Metadata {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}
interface Resource<Version extends string, Kind extends string, Spec> {
  apiVersion: Version;
  kind: Kind;
  metadata: Metadata;
  spec: Spec;
}
interface Selector {
  matchLabels: Record<string, string>;
}

// keda.sh
interface Trigger<Type extends string, Values> {
  type: Type;
  name?: string;
  metricType?: 'Utilization' | 'AverageValue' | 'Value';
  metadata: Values;
}
export type IScaledObject = Resource<
  'keda.sh/v1alpha1',
  'ScaledObject',
  {
    scaleTargetRef: { apiVersion?: string; kind?: string; name: string };
    minReplicaCount: number;
    maxReplicaCount: number;
    pollingInterval?: number;
    cooldownPeriod?: number;
    fallback?: { failureThreshold: number; replicas: number; behavior?: 'static' | 'currentReplicasIfHigher' };
    advanced?: {
      horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: number } } };
    };
    triggers: (
      | Trigger<'cpu', { value: string }>
      | Trigger<
          'prometheus',
          { serverAddress: string; query: string; threshold: string; ignoreNullValues?: 'true' | 'false' }
        >
    )[];
  }
>;

// monitoring.coreos.com (Prometheus operator)
export type IServiceMonitor = Resource<
  'monitoring.coreos.com/v1',
  'ServiceMonitor',
  {
    selector: Selector;
    podTargetLabels: string[];
    endpoints: {
      port: string;
      path: string;
      interval: string;
      scrapeTimeout: string;
      relabelings?: { action: 'replace'; targetLabel: string; replacement: string }[];
    }[];
  }
>;
interface RecordingRule {
  record: string;
  expr: string;
}
interface AlertingRule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: 'page' | 'ticket' };
  annotations: { summary: string; description: string; runbook_url: string };
}
export type IPrometheusRule = Resource<
  'monitoring.coreos.com/v1',
  'PrometheusRule',
  { groups: { name: string; rules: (RecordingRule | AlertingRule)[] }[] }
>;

// external-secrets.io
export type IExternalSecret = Resource<
  'external-secrets.io/v1',
  'ExternalSecret',
  {
    refreshInterval: string;
    secretStoreRef: { kind: 'SecretStore' | 'ClusterSecretStore'; name: string };
    target: { name: string; creationPolicy: 'Owner' | 'Orphan' | 'Merge' | 'None' };
    dataFrom: { extract: { key: string } }[];
  }
>;
interface AccountRef {
  serviceAccountRef: { name: string };
}
export type ISecretStore = Resource<
  'external-secrets.io/v1',
  'SecretStore',
  {
    provider: {
      vault?: {
        server: string;
        path: string;
        version: 'v1' | 'v2';
        auth: { kubernetes: AccountRef & { mountPath: string; role: string } };
      };
      aws?: { service: 'SecretsManager' | 'ParameterStore'; region: string; auth: { jwt: AccountRef } };
    };
  }
>;

// gateway.networking.k8s.io
interface Listener {
  name: string;
  port: number;
  protocol: 'HTTP' | 'HTTPS';
  hostname: string;
  tls?: { mode: 'Terminate' | 'Passthrough'; certificateRefs: { name: string }[] };
  allowedRoutes: { namespaces: { from: 'Same' | 'All' | 'Selector' } };
}
export type IGateway =
  | Resource<'gateway.networking.k8s.io/v1', 'Gateway', { gatewayClassName: string; listeners: Listener[] }>
  | IIstioGateway;
export type IHTTPRoute = Resource<
  'gateway.networking.k8s.io/v1',
  'HTTPRoute',
  {
    parentRefs: { name: string; sectionName: string }[];
    hostnames: string[];
    rules: {
      matches?: {
        path: { type: 'Exact' | 'PathPrefix'; value: string };
        method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
      }[];
      filters?: { type: 'RequestRedirect'; requestRedirect: { scheme: 'https'; statusCode: 301 | 302 } }[];
      backendRefs?: { name: string; port: number }[];
    }[];
  }
>;

// networking.istio.io, security.istio.io
export type IIstioGateway = Resource<
  'networking.istio.io/v1',
  'Gateway',
  {
    selector: Record<string, string>;
    servers: {
      hosts: string[];
      port: { number: number; name: string; protocol: 'HTTP' | 'HTTPS' };
      tls: { httpsRedirect: boolean } | { mode: 'SIMPLE'; credentialName: string; minProtocolVersion: 'TLSV1_3' };
    }[];
  }
>;
export type IDestinationRule = Resource<
  'networking.istio.io/v1',
  'DestinationRule',
  {
    host: string;
    trafficPolicy: {
      connectionPool: { http: { idleTimeout: string } };
      loadBalancer: {
        simple: 'LEAST_REQUEST' | 'ROUND_ROBIN' | 'RANDOM';
        localityLbSetting: { enabled: boolean; failoverPriority: string[] };
      };
      outlierDetection: {
        splitExternalLocalOriginErrors: boolean;
        consecutiveLocalOriginFailures: number;
        consecutiveGatewayErrors: number;
        interval: string;
        baseEjectionTime: string;
        maxEjectionPercent: number;
      };
    };
    subsets: { name: string; labels: Record<string, string> }[];
  }
>;
export type IVirtualService = Resource<
  'networking.istio.io/v1',
  'VirtualService',
  {
    hosts: string[];
    gateways: string[];
    http: {
      match?: { method: { exact: string } | { regex: string } }[];
      retries: { attempts: number; retryOn: string };
      route: { destination: { host: string; subset: string }; weight: number }[];
    }[];
  }
>;
type Mtls = { mode: 'STRICT' | 'PERMISSIVE' | 'DISABLE' | 'UNSET' };
export type IPeerAuthentication = Resource<
  'security.istio.io/v1',
  'PeerAuthentication',
  { selector: Selector; mtls: Mtls; portLevelMtls?: Record<string, Mtls> }
>;
export type IAuthorizationPolicy = Resource<
  'security.istio.io/v1',
  'AuthorizationPolicy',
  {
    action: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';
    rules: {
      from?: { source: { principals: string[] } }[];
      to: { operation: { ports?: string[]; methods?: string[]; paths?: string[]; notPaths?: string[] } }[];
    }[];
  } & ({ selector: Selector } | { targetRefs: { group: string; kind: string; name: string }[] })
>;

// mongodbcommunity.mongodb.com
interface SecretRef {
  name: string;
}
export type IMongoDBCommunity = Resource<
  'mongodbcommunity.mongodb.com/v1',
  'MongoDBCommunity',
  {
    type: 'ReplicaSet';
    members: number;
    version: string;
    security: {
      authentication: { modes: ('SCRAM' | 'SCRAM-SHA-256' | 'SCRAM-SHA-1' | 'X509')[] };
      tls: { enabled: boolean; certificateKeySecretRef: SecretRef; caConfigMapRef: SecretRef };
    };
    users: {
      name: string;
      db: string;
      passwordSecretRef: SecretRef;
      roles: { name: string; db: string }[];
      scramCredentialsSecretName: string;
    }[];
    /** Merged into what the operator makes, so only what differs. */
    statefulSet: {
      spec: {
        template: {
          spec: {
            topologySpreadConstraints: {
              topologyKey: string;
              maxSkew: number;
              whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
              labelSelector: Selector;
            }[];
          };
        };
        volumeClaimTemplates: { metadata: { name: string }; spec: Claim & { storageClassName: string } }[];
      };
    };
  }
>;
interface Claim {
  accessModes: ('ReadWriteOnce' | 'ReadWriteOncePod')[];
  resources: { requests: { storage: string } };
}

// redis.redis.opstreelabs.in (OT Container Kit)
interface RedisKubernetesConfig {
  image: string;
  imagePullPolicy: 'IfNotPresent' | 'Always' | 'Never';
  redisSecret: { name: string; key: string };
  resources?: { requests: { cpu: string; memory: string }; limits: { memory: string } };
}
interface RedisPodSecurity {
  runAsUser: number;
  fsGroup: number;
}
export type IRedisReplication = Resource<
  'redis.redis.opstreelabs.in/v1beta2',
  'RedisReplication',
  {
    clusterSize: number;
    kubernetesConfig: RedisKubernetesConfig;
    redisConfig: { additionalRedisConfig: string };
    podSecurityContext: RedisPodSecurity;
    storage: { volumeClaimTemplate: { spec: Claim } };
  }
>;
export type IRedisSentinel = Resource<
  'redis.redis.opstreelabs.in/v1beta2',
  'RedisSentinel',
  {
    clusterSize: number;
    kubernetesConfig: RedisKubernetesConfig;
    redisSentinelConfig: { redisReplicationName: string; quorum: string };
    podSecurityContext: RedisPodSecurity;
  }
>;
