import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { composeFaults } from './compose.check.ts';
import { type DeploymentTree, readDeploymentTree, type ServiceImage } from './deployment-tree.ts';
import { dockerfileFaults } from './dockerfile.check.ts';
import { parseDockerfile } from './dockerfile.ts';
import { schemaFaults } from './kubernetes-models.check.ts';
import { typeFaults } from './kubernetes-types.check.ts';
import { gpuImageFaults } from './gpu-image.check.ts';
import { kustomizationFaults } from './kustomization.check.ts';
import { manualFaults } from './manual.check.ts';
import { parseQuantity } from './quantity.ts';
import { protectionFaults } from './protection.check.ts';
import { redisFaults } from './redis.check.ts';
import { servicePodFaults } from './service-pod.check.ts';
import { readSettings } from './settings.ts';
import { workloadFaults } from './workload.check.ts';

const ROOT = join(import.meta.dirname, '../..');
const tree = readDeploymentTree(ROOT);

/** The cross-checks, which all read the tree; the two that know Kubernetes' types are tried on their own. */
const crossChecks = (subject: DeploymentTree) => [
  ...workloadFaults(subject),
  ...servicePodFaults(subject),
  ...redisFaults(subject),
  ...protectionFaults(subject),
  ...kustomizationFaults(subject),
  ...composeFaults(subject),
  ...dockerfileFaults(subject),
  ...gpuImageFaults(subject),
  ...manualFaults(subject),
];

type Node = Record<string, unknown>;
const POD = 'spec.template.spec';
const BOX = `${POD}.containers.0`;

/** A copy of the tree in which one value is another; `undefined` takes it away. */
function planted(part: string, path: string, value: unknown): DeploymentTree {
  const copy = structuredClone(tree);
  const keys = path.split('.');
  const last = keys.pop() as string;
  const top =
    copy.manifests.find(({ file }) => file === `k8s/base/${part}.yaml`)?.content ?? copy[part as 'compose'];
  const parent = keys.reduce<unknown>((node, key) => (node as Node)[key], top) as Node;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

/** A copy of the tree in which the Dockerfile of llm-service has another final instruction. */
function replanted(keyword: string, value: string | undefined): DeploymentTree {
  const copy = structuredClone(tree);
  const instructions = copy.services[0]?.dockerfile.at(-1)?.instructions as {
    keyword: string;
    value: string;
  }[];
  const index = instructions.findIndex((one) => one.keyword === keyword);
  instructions.splice(index, 1, ...(value === undefined ? [] : [{ keyword, value }]));
  return copy;
}

describe('the deployment', () => {
  it('consists of what it should', () => {
    const kinds = tree.manifests.map(({ content }) => `${content.kind} ${content.metadata?.name}`).sort();
    expect(kinds).toEqual([
      'Deployment embedding-service',
      'Deployment llm-service',
      'Deployment redis',
      'NetworkPolicy embedding-service',
      'NetworkPolicy redis',
      'PodDisruptionBudget embedding-service',
      'PodDisruptionBudget llm-service',
      'Service embedding-service',
      'Service llm-service',
      'Service redis',
    ]);
    expect(tree.services.map(({ settings }) => settings.has('PORT'))).toEqual([true, true]);
  });

  it('fits the types of Kubernetes', () => expect(typeFaults(tree.manifests)).toEqual([]));
  it('has every field that Kubernetes requires', async () =>
    expect(await schemaFaults(tree.manifests)).toEqual([]));
  it('is coherent, safe, and fits the code', () => expect(crossChecks(tree)).toEqual([]));
});

describe('a fault that the types of Kubernetes know', () => {
  const deployment = 'llm-service.deployment';
  it.each([
    [
      'an unknown field',
      deployment,
      'spec.replica',
      2,
      `'"replica"' does not exist in type 'DeploymentSpec'`,
    ],
    [
      'an unknown field deep down',
      deployment,
      `${BOX}.livenessProbe.httpGet.url`,
      '/',
      `'"url"' does not exist`,
    ],
    ['an unknown field of a Service', 'redis.service', 'spec.targetPort', 1, `'"targetPort"' does not exist`],
    ['a wrong type', deployment, 'spec.replicas', 'two', "'string' is not assignable to type 'number'"],
    ['a kind that is not there', deployment, 'kind', 'Deploiment', "has no exported member 'Deploiment'"],
    ['a group that is not there', deployment, 'apiVersion', 'app/v1', 'Cannot find module'],
  ])('%s', (_, part, path, value, fault) => {
    const faults = typeFaults(planted(part, path, value).manifests);
    expect(faults).toEqual([expect.stringMatching(new RegExp(`^k8s/base/${part}.yaml: .*${fault}`))]);
  });
});

describe('a fault that the schemas of Kubernetes know', () => {
  const deployment = 'embedding-service.deployment';
  it.each([
    ['a missing required field', deployment, `${BOX}.name`, undefined, 'must have required property name'],
    ['a missing selector', deployment, 'spec.selector', undefined, 'must have required property selector'],
    [
      'a probe without a port',
      deployment,
      `${BOX}.startupProbe.httpGet.port`,
      undefined,
      'required property port',
    ],
    ['a wrong type', deployment, 'spec.replicas', 'two', 'must be integer'],
    ['an unknown kind', deployment, 'kind', 'Deploiment', 'Deploiment'],
  ])('%s', async (_, part, path, value, fault) => {
    const faults = await schemaFaults(planted(part, path, value).manifests);
    expect(faults).toEqual([expect.stringContaining(fault)]);
    expect(faults[0]).toContain(`k8s/base/${part}.yaml: `);
  });
});

describe('a fault that only the whole shows', () => {
  const llm = 'llm-service.deployment';
  const embedding = 'embedding-service.deployment';
  const literals = (...lines: string[]) => [
    { name: 'llm-service', literals: ['SHUTDOWN_GRACE_MS=30000'] },
    { name: 'embedding-service', literals: lines },
  ];
  it.each([
    ['selector and labels', llm, 'spec.selector.matchLabels', { a: 'b' }, 'does not match the pod'],
    ['selector of a Service', 'redis.service', 'spec.selector', { a: 'b' }, 'matches 0 Deployments'],
    ['target port', 'redis.service', 'spec.ports.0.targetPort', 6379, 'not the name of a container port'],
    ['label', 'redis.service', 'metadata.labels', {}, 'metadata needs a name and the same in its label'],
    ['name of a Service', 'redis.service', 'metadata.name', 'cache', 'REDIS_URL: no Service answers'],
    ['port of a probe', llm, `${BOX}.livenessProbe.httpGet.port`, 'web', 'asks a port that is not there'],
    ['path of a probe', llm, `${BOX}.livenessProbe.httpGet.path`, '/readyz', 'livenessProbe asks /readyz'],
    ['no probe', llm, `${BOX}.readinessProbe`, undefined, 'has no readinessProbe'],
    ['update with a gap', llm, 'spec.strategy.rollingUpdate.maxUnavailable', 1, 'before new ones are ready'],
    ['mount without a volume', embedding, `${POD}.volumes`, [], 'mounts models, which is no volume'],
    ['cache that is not mounted', embedding, `${BOX}.volumeMounts`, [], '/var/cache/morgan is not writable'],
    ['container port', llm, `${BOX}.ports.0.containerPort`, 80, 'the service listens on 8080'],
    ['image', llm, `${BOX}.image`, 'morgan/gateway', 'morgan/gateway is not the image of llm-service'],
    ['user', llm, `${POD}.securityContext.runAsUser`, 1001, 'the image is made for another user'],
    ['no budget', 'llm-service.disruption-budget', 'kind', 'Budget', 'may be evicted together'],
    ['a budget of nobody', 'llm-service.disruption-budget', 'spec.selector', {}, 'may be evicted together'],
    [
      'a strict budget',
      'llm-service.disruption-budget',
      'spec.maxUnavailable',
      0,
      'must allow the eviction of one pod',
    ],
    ['no policy', 'redis.network-policy', 'kind', 'Policy', 'anybody may reach redis'],
    ['an open policy', 'redis.network-policy', 'spec.ingress.0.from', [], 'anybody may reach redis'],
    [
      'a strict policy',
      'redis.network-policy',
      'spec.ingress.0.from.1',
      {},
      'embedding-service may not reach',
    ],
    [
      'no policy of the model',
      'embedding-service.network-policy',
      'kind',
      'Policy',
      'reach embedding-service',
    ],
    [
      'a policy without the gateway',
      'embedding-service.network-policy',
      'spec.ingress.0.from.0',
      {},
      'llm-service may not reach embedding-service',
    ],
    [
      'port of a policy',
      'embedding-service.network-policy',
      'spec.ingress.0.ports.0.port',
      'web',
      'embedding-service has no port web',
    ],
    ['setting of a container', llm, `${BOX}.env`, [{ name: 'LLM_HOST', value: 'x' }], 'reads no LLM_HOST'],
    ['required Secret', llm, `${BOX}.envFrom.1.secretRef.optional`, undefined, 'must be optional'],
    [
      'ConfigMap',
      llm,
      `${BOX}.envFrom.0.configMapRef.name`,
      'gateway',
      'nothing generates the ConfigMap gateway',
    ],
    [
      'kill before the grace is over',
      llm,
      `${POD}.terminationGracePeriodSeconds`,
      40,
      'may need 40 s to stop',
    ],
    [
      'another least drain',
      llm,
      `${BOX}.env`,
      [{ name: 'SHUTDOWN_MIN_DRAIN_MS', value: '7000' }],
      '0,5,12,35,',
    ],
    ['no preStop', llm, `${BOX}.lifecycle`, undefined, 'without a preStop sleep'],
    ['threads', embedding, `${BOX}.resources.limits.cpu`, '1500m', '2 inference threads on 1.5 cores'],
    [
      'memory of Redis',
      'redis.deployment',
      `${BOX}.resources.limits.memory`,
      '384Mi',
      'not below the memory limit',
    ],
    [
      'file that is not listed',
      'kustomization',
      'resources',
      ['redis.service.yaml'],
      'llm-service.service.yaml is not',
    ],
    ['listed file', 'kustomization', 'resources.6', 'hpa.yaml', 'hpa.yaml does not exist'],
    ['version', 'kustomization', 'images.0.newTag', 'latest', 'is latest, not version'],
    ['unknown field', 'kustomization', 'resource', [], 'Unrecognized key: "resource"'],
    ['setting', 'kustomization', 'configMapGenerator', literals('LOG_LEVL=info'), 'reads no LOG_LEVL'],
    [
      'address',
      'kustomization',
      'configMapGenerator',
      literals('REDIS_URL=redis://redis:1'),
      'no Service answers',
    ],
    ['replicas of a limit', llm, 'spec.replicas', 3, 'CALLER_LIMIT_REPLICAS is not 3'],
    [
      'replicas that share nothing',
      'kustomization',
      'configMapGenerator.0.literals',
      ['SHUTDOWN_GRACE_MS=30000'],
      'llm-service.deployment.yaml: its replicas share nothing',
    ],
    [
      'setting of Compose',
      'compose',
      'services.llm-service.environment.LLM_HOST',
      'x',
      'llm-service reads no LLM_HOST',
    ],
    ['kill by Compose', 'compose', 'services.llm-service.stop_grace_period', '30s', 'killed after 30000 ms'],
    ['open port', 'compose', 'services.redis.ports', ['6379:6379'], 'must be published on loopback only'],
    ['endless log', 'compose', 'services.llm-service.logging', { driver: 'json-file' }, 'logging'],
    ['unknown field of Compose', 'compose', 'services.redis.memory', '1g', 'Unrecognized key: "memory"'],
    [
      'Dockerfile of Compose',
      'compose',
      'services.llm-service.build.dockerfile',
      'Dockerfile',
      'another Dockerfile',
    ],
    ['version in Compose', 'compose', 'services.llm-service.image', 'morgan/llm-service', 'is not version'],
    ['another Redis', 'compose', 'services.redis.image', 'redis:8', 'Compose runs another Redis'],
    [
      'dependency',
      'compose',
      'services.redis.depends_on',
      { db: { condition: 'service_healthy' } },
      'depends on db',
    ],
    ['forgetting Redis', 'redis.deployment', `${BOX}.args.8`, 'noeviction', 'a full cache must forget'],
    ['lasting Redis', 'redis.deployment', `${BOX}.args.4`, 'yes', 'a cache must not write to disk'],
    ['image of a stranger', 'kustomization', 'images.2', { name: 'x', newTag: '1' }, 'there is no image x'],
    [
      'build output',
      'services',
      '0.buildOutputs',
      ['dist/llm'],
      'no build target writes dist/apps/llm-service/main.js',
    ],
    ['open build context', 'dockerignore', '0', '.git', '.dockerignore must begin by refusing everything'],
    ['build context', 'dockerignore', '1', '!apps', '.dockerignore keeps .npmrc out'],
  ])('%s', (_, part, path, value, fault) => {
    expect(crossChecks(planted(part, path, value))).toContainEqual(expect.stringContaining(fault));
  });
});

describe('a pod that breaks the restricted profile', () => {
  it.each([
    [`${POD}.hostNetwork`, true, 'shares a namespace with the host'],
    [`${POD}.automountServiceAccountToken`, undefined, 'mounts a service account token'],
    [`${POD}.volumes.0`, { name: 'tmp', hostPath: { path: '/' } }, 'a volume of a type that is not allowed'],
    [`${POD}.volumes.0`, { name: 'tmp', emptyDir: {} }, 'volume tmp may fill the node'],
    [`${POD}.securityContext.runAsUser`, 0, 'the pod runs as root'],
    [`${POD}.securityContext.runAsNonRoot`, false, 'may run as root'],
    [`${POD}.securityContext.seccompProfile`, { type: 'Unconfined' }, 'has no seccomp profile'],
    [`${POD}.securityContext.sysctls`, [{ name: 'a', value: 'b' }], 'sets sysctls'],
    [`${POD}.securityContext.windowsOptions`, { hostProcess: true }, 'is a host process'],
    [`${BOX}.securityContext.seLinuxOptions`, { user: 'a' }, 'container llm-service sets SELinux options'],
    [`${POD}.securityContext.seLinuxOptions`, { user: 'a' }, 'the pod sets SELinux options'],
    [`${BOX}.securityContext.privileged`, true, 'is privileged'],
    [`${BOX}.securityContext.allowPrivilegeEscalation`, undefined, 'may escalate its privileges'],
    [`${BOX}.securityContext.runAsNonRoot`, false, 'may run as root'],
    [`${BOX}.securityContext.runAsUser`, 0, 'container llm-service runs as root'],
    [`${BOX}.securityContext.capabilities.drop`, ['NET_RAW'], 'keeps capabilities'],
    [`${BOX}.securityContext.capabilities.add`, ['SYS_ADMIN'], 'adds capabilities'],
    [`${BOX}.securityContext.procMount`, 'Unmasked', 'unmasks /proc'],
    [`${BOX}.securityContext.readOnlyRootFilesystem`, false, 'may write to its root filesystem'],
    [`${BOX}.ports.0.hostPort`, 8080, 'takes a port of the host'],
    [`${BOX}.resources.limits.memory`, undefined, 'lacks a CPU or memory request or limit'],
    [`${POD}.initContainers`, [{ name: 'setup' }], 'container setup may escalate its privileges'],
  ])('%s = %j', (path, value, fault) => {
    const faults = workloadFaults(planted('llm-service.deployment', path, value));
    expect(faults).toContainEqual(expect.stringContaining(fault));
  });
});

describe('a Dockerfile with a fault', () => {
  it.each([
    ['USER', 'node', 'USER must be given once, as two numbers'],
    ['USER', '0:0', 'not root'],
    ['USER', undefined, 'USER must be given once'],
    ['CMD', 'node dist/apps/llm-service/main.js', 'CMD must be given once, in exec form'],
    ['CMD', '["node", "dist/apps/embedding-service/main.js"]', 'start dist/apps/llm-service/main.js'],
    ['HEALTHCHECK', 'CMD curl localhost:8080/livez', 'HEALTHCHECK must ask /livez'],
    ['STOPSIGNAL', 'SIGKILL', 'STOPSIGNAL must be SIGTERM'],
    ['EXPOSE', '80', 'EXPOSE must be PORT'],
    ['ENV', 'NODE_ENV=production HOST=:: PORT=80', "PORT is 80, but the service's default is 8080"],
    ['ENV', 'NODE_ENV=production HOST=127.0.0.1 PORT=8080', 'HOST must be ::'],
    // No probe reaches it in a cluster that has IPv6 only.
    ['ENV', 'NODE_ENV=production HOST=0.0.0.0 PORT=8080', 'HOST must be ::'],
    ['ENV', 'HOST=:: PORT=8080', 'NODE_ENV must be production'],
    ['ENV', 'HOST=:: PORT=8080', 'MALLOC_TRIM_THRESHOLD_ must be 131072'],
    ['ENV', 'LOG_FORMATS=json', 'the service reads no LOG_FORMATS'],
    ['ENV', 'API_KEYS=abcdefgh', 'API_KEYS does not belong in an image'],
    ['COPY', '--from=builder /morgan/dist dist', 'there is no stage builder'],
    ['COPY', 'scripts scripts', '.dockerignore keeps scripts out'],
  ])('%s %s', (keyword, value, fault) => {
    const faults = dockerfileFaults(replanted(keyword, value));
    expect(faults).toContainEqual(expect.stringContaining(fault));
  });

  it.each([
    ['FROM node:24-bookworm-slim', 'FROM node:latest', 'node:latest is not node:24-bookworm-slim'],
    ['npm ci\n', 'npm install\n', 'the build stage must run in this order'],
    [
      'COPY package.json package-lock.json .npmrc ./\nRUN npm ci\nCOPY . .',
      'COPY . .\nRUN npm ci',
      'in this order',
    ],
    ['CMD ["node", "dist', 'RUN chown -R 1000 .\nCMD ["node", "dist', 'what follows USER would belong to it'],
    ['COPY . .', 'ADD . .', 'ADD fetches and unpacks'],
    [' onnxruntime-node ', ' ', 'onnxruntime-node is installed and never loaded'],
  ])('%j -> %j', (text, other, fault) => {
    const source = readFileSync(join(ROOT, 'docker/llm-service.Dockerfile'), 'utf8');
    expect(source).toContain(text);
    const [llm, ...others] = tree.services as [ServiceImage, ...ServiceImage[]];
    const services = [{ ...llm, dockerfile: parseDockerfile(source.replace(text, other)) }, ...others];
    const faults = dockerfileFaults({ ...tree, services });
    expect(faults).toContainEqual(expect.stringContaining(fault));
  });
});

describe('a Dockerfile for a GPU with a fault', () => {
  it.each([
    ['ARG BASE=morgan/', 'ARG BASE=other/', 'it must be made from morgan/embedding-service:'],
    ['FROM ${BASE}', 'FROM node:24', 'it must be made from morgan/embedding-service:'],
    [' libegl1', '', 'libegl1 is not installed'],
    ['USER 1000:1000', '', 'it must end as user 1000:1000'],
    ['EMBEDDING_DEVICE=webgpu', 'EMBEDDING_DEVICE=cpu', 'EMBEDDING_DEVICE must be a GPU'],
    ['EMBEDDING_DEVICE', 'EMBEDDING_DEVICES', 'the service reads no EMBEDDING_DEVICES'],
    ['compute,graphics,utility', 'compute', 'NVIDIA_DRIVER_CAPABILITIES must have graphics'],
  ])('%j -> %j', (text, other, fault) => {
    expect(tree.gpuDockerfile).toContain(text);
    const subject = { ...tree, gpuDockerfile: tree.gpuDockerfile.replace(text, other) };
    expect(gpuImageFaults(subject)).toContainEqual(expect.stringContaining(fault));
  });
});

describe('reading', () => {
  it('finds the settings of one service in the manual', () => {
    const manual = [
      '<!-- a:begin -->',
      '| key | environment | default | meaning |',
      '| --- | --- | --- | --- |',
      '| `http.port` | `PORT` | `8080` | The port, not `OTHER_NAME`. |',
      '| `auth.keys` | `API_KEYS` | – | Keys. |',
      '| `only.yaml` | – | `1` | Not in the environment. |',
      '<!-- a:end -->',
      '<!-- b:begin -->',
      '| `cache.url` | `REDIS_URL` | – | Redis. |',
      '<!-- b:end -->',
    ].join('\n');
    expect([...readSettings(manual, 'a')]).toEqual([
      ['PORT', '8080'],
      ['API_KEYS', undefined],
    ]);
    expect([...readSettings(manual, 'b').keys()]).toEqual(['REDIS_URL']);
  });

  it('joins the lines of a Dockerfile and tells its stages apart', () => {
    const [build, final] = parseDockerfile(
      'FROM a AS build\nRUN x \\\n # why\n && y\n\n# then\nfrom b\ncmd ["z"]\n',
    );
    expect(build).toMatchObject({ image: 'a', name: 'build', instructions: [{ keyword: 'RUN' }] });
    expect(build?.instructions[0]?.value.replaceAll(/\s+/g, ' ')).toBe('x && y');
    expect(final).toEqual({
      image: 'b',
      name: undefined,
      instructions: [{ keyword: 'CMD', value: '["z"]' }],
    });
  });

  it.each([
    ['500m', 0.5],
    ['2', 2],
    ['64Mi', 67_108_864],
    ['384mb', 402_653_184],
    ['1.5Gi', 1_610_612_736],
    ['', Number.NaN],
    ['12 apples', Number.NaN],
  ])('%j is %d', (text, value) => expect(parseQuantity(text)).toBe(value));

  it('refuses a manual that names what nobody reads, or shows another version', () => {
    expect(manualFaults({ ...tree, manual: `${tree.manual} LLM_HOST` })).toEqual([
      'docs/deployment.md: no service reads LLM_HOST',
    ]);
    expect(manualFaults({ ...tree, version: '9.9.9' })).toHaveLength(3);
  });
});
