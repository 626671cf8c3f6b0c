import { z } from 'zod';
import { COMPOSE_FILE, type DeploymentTree } from './deployment-tree.ts';
import { environmentOf, finalStage } from './dockerfile.ts';
import { stopMs } from './shutdown.ts';
import { isKnownName } from './settings.ts';

const duration = z.string().regex(/^\d+s$/);
const size = z.string().regex(/^\d+[mg]b?$/);

/** The part of the Compose specification that is used here; a field outside it is a fault. */
const composeSchema = z.strictObject({
  name: z.string(),
  services: z.record(
    z.string(),
    z.strictObject({
      image: z.string(),
      build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()).default({}),
      ports: z
        .array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/, 'must be published on loopback only'))
        .default([]),
      volumes: z.array(z.string()).optional(),
      user: z.string().optional(),
      depends_on: z
        .record(z.string(), z.strictObject({ condition: z.literal('service_healthy') }))
        .default({}),
      healthcheck: z
        .strictObject({
          test: z.tuple([z.literal('CMD')], z.string()),
          interval: duration,
          timeout: duration,
          retries: z.int(),
        })
        .optional(),
      read_only: z.literal(true),
      tmpfs: z.array(z.string()),
      cap_drop: z.tuple([z.literal('ALL')]),
      security_opt: z.tuple([z.literal('no-new-privileges:true')]),
      restart: z.literal('unless-stopped'),
      logging: z.strictObject({
        driver: z.literal('local'),
        // Without them a log grows until the disk is full.
        options: z.strictObject({
          'max-size': z.string().regex(/^\d+[kmg]$/),
          'max-file': z.string().regex(/^\d+$/),
        }),
      }),
      stop_grace_period: duration.optional(),
      mem_limit: size,
    }),
  ),
  volumes: z.record(z.string(), z.strictObject({})),
});

type Compose = z.output<typeof composeSchema>;
type Faults = readonly string[];

/** Parses the Compose file. Extension fields (`x-...`) are dropped: YAML anchors have already copied what they hold. */
export function parseCompose(tree: DeploymentTree): { compose?: Compose; faults: Faults } {
  const entries = Object.entries(tree.compose as object).filter(([key]) => !key.startsWith('x-'));
  const { success, data, error } = composeSchema.safeParse(Object.fromEntries(entries));
  if (success) return { compose: data, faults: [] };
  return {
    faults: error.issues.map(({ path, message }) => `${COMPOSE_FILE}: ${path.join('.')}: ${message}`),
  };
}

/** Checks the Compose file against its specification, the images and the settings of the services. */
export function composeFaults(tree: DeploymentTree): Faults {
  const { compose, faults } = parseCompose(tree);
  if (!compose) return faults;
  return [...serviceFaults(tree, compose), ...referenceFaults(compose)].map(
    (fault) => `${COMPOSE_FILE}: ${fault}`,
  );
}

function serviceFaults({ services, version }: DeploymentTree, compose: Compose): Faults {
  return services.flatMap(({ name, dockerfile, settings }) => {
    const service = compose.services[name];
    if (!service) return [`there is no service ${name}`];
    const port = environmentOf(finalStage(dockerfile)).get('PORT');
    const needed = stopMs(service.environment, settings);
    const stop = Number.parseInt(service.stop_grace_period ?? '10', 10) * 1000;
    return [
      ...Object.keys(service.environment)
        .filter((key) => !isKnownName(settings, key))
        .map((key) => `${name} reads no ${key}`),
      ...(service.build?.dockerfile === `docker/${name}.Dockerfile`
        ? []
        : [`${name} is built from another Dockerfile`]),
      ...(service.image === `morgan/${name}:${version}`
        ? []
        : [`${service.image} is not version ${version}`]),
      ...(service.ports.every((mapping) => mapping.endsWith(`:${port}`))
        ? []
        : [`${name} listens on ${port}`]),
      ...(stop > needed ? [] : [`${name} is killed after ${stop} ms, but may need ${needed} ms to stop`]),
    ];
  });
}

function referenceFaults({ services, volumes }: Compose): Faults {
  return Object.entries(services).flatMap(([name, service]) => [
    ...Object.keys(service.depends_on)
      .filter((other) => !services[other])
      .map((other) => `${name} depends on ${other}, which is not there`),
    ...(service.volumes ?? [])
      .filter((mount) => !Object.hasOwn(volumes, mount.split(':')[0] ?? ''))
      .map((mount) => `${name} mounts ${mount}, which is not declared`),
  ]);
}
