import { ALLOCATOR_ENV } from '../start/allocator-env.ts';
import type { DeploymentTree, ServiceImage } from './deployment-tree.ts';
import { environmentOf, execForm, finalStage, type Stage, valuesOf } from './dockerfile.ts';
import { isKnownName } from './settings.ts';

const BASE_IMAGE = 'node:24-bookworm-slim';
const SECRET_NAME = /KEY|TOKEN|SECRET|PASSWORD/;
/** Hundreds of megabytes of native code that only the model processes of embedding-service load. */
const EMBEDDING_STACK = ['@huggingface/transformers', 'onnxruntime-node', 'tokenizers'];
const LOCKED_INSTALL = ['COPY package.json package-lock.json .npmrc ./', 'npm ci', 'COPY . .'];

/** Checks the Dockerfiles against good practice and against the services that they hold. */
export function dockerfileFaults({ services, dockerignore }: DeploymentTree): string[] {
  return services.flatMap((service) => {
    const where = `docker/${service.name}.Dockerfile`;
    const final = finalStage(service.dockerfile);
    return [
      ...stageFaults(service),
      ...dependencyFaults(service),
      ...contextFaults(service, dockerignore),
      ...processFaults(final, service),
      ...environmentFaults(final, service),
    ].map((fault) => `${where}: ${fault}`);
  });
}

function stageFaults({ dockerfile }: ServiceImage): string[] {
  const names = dockerfile.map(({ name }) => name);
  const instructions = dockerfile.flatMap((stage) => stage.instructions);
  const build = (dockerfile[0]?.instructions ?? []).map(({ keyword, value }) =>
    keyword === 'RUN' ? value : `${keyword} ${value}`,
  );
  const order = LOCKED_INSTALL.map((step) => build.indexOf(step));
  const sources = instructions
    .map(({ value }) => /^--from=(\S+)/.exec(value)?.[1])
    .filter((name) => name !== undefined);
  return [
    ...dockerfile
      .filter(({ image }) => image !== BASE_IMAGE)
      .map(({ image }) => `${image} is not ${BASE_IMAGE}`),
    ...sources.filter((name) => !names.includes(name)).map((name) => `there is no stage ${name}`),
    ...(order.includes(-1) || order.some((step, index) => step < (order[index - 1] ?? 0))
      ? [`the build stage must run in this order: ${LOCKED_INSTALL.join(', ')}`]
      : []),
    ...(instructions.some(({ keyword }) => keyword === 'ADD') ? ['ADD fetches and unpacks; use COPY'] : []),
  ];
}

/** What a service never loads leaves the manifest before its dependencies are installed. */
function dependencyFaults({ name, dockerfile }: ServiceImage): string[] {
  const uninstalled = dockerfile
    .flatMap((stage) => valuesOf(stage, 'RUN'))
    .flatMap((value) => /npm uninstall --package-lock-only ([^&]+)/.exec(value)?.[1]?.split(/\s+/) ?? []);
  return EMBEDDING_STACK.filter((one) => uninstalled.includes(one) === (name === 'embedding-service')).map(
    (one) =>
      name === 'embedding-service'
        ? `${one} is needed and uninstalled`
        : `${one} is installed and never loaded`,
  );
}

/** What a stage copies from the build context must be let in by .dockerignore. */
function contextFaults({ dockerfile }: ServiceImage, dockerignore: readonly string[]): string[] {
  const admitted = dockerignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const copied = dockerfile
    .flatMap((stage) => valuesOf(stage, 'COPY'))
    .filter((value) => !value.startsWith('--from'))
    .flatMap((value) => value.split(/\s+/).slice(0, -1))
    .filter((path) => path !== '.');
  return [
    ...(dockerignore[0] === '*' ? [] : ['.dockerignore must begin by refusing everything']),
    ...copied
      .filter((path) => !admitted.some((name) => path === name || path.startsWith(`${name}/`)))
      .map((path) => `.dockerignore keeps ${path} out`),
  ];
}

function processFaults(final: Stage, { name, buildOutputs }: ServiceImage): string[] {
  const [user, ...otherUsers] = valuesOf(final, 'USER');
  const [command, ...otherCommands] = valuesOf(final, 'CMD').map(execForm);
  const [health = ''] = valuesOf(final, 'HEALTHCHECK');
  const main = `dist/apps/${name}/main.js`;
  const afterUser = final.instructions.slice(
    final.instructions.findIndex(({ keyword }) => keyword === 'USER'),
  );
  const probe = execForm(health.slice(health.indexOf('CMD') + 'CMD'.length));
  return [
    ...(/^[1-9]\d*:[1-9]\d*$/.test(user ?? '') && otherUsers.length === 0
      ? []
      : ['USER must be given once, as two numbers, and not root']),
    ...(afterUser.some(({ keyword }) => ['RUN', 'COPY', 'WORKDIR'].includes(keyword))
      ? ['what follows USER would belong to it: the image must not be writable']
      : []),
    ...(command?.[0] === 'node' && command.at(-1) === main && otherCommands.length === 0
      ? []
      : [`CMD must be given once, in exec form, and start ${main}`]),
    ...(buildOutputs.some((output) => main.startsWith(`${output}/`))
      ? []
      : [`no build target writes ${main}`]),
    ...(valuesOf(final, 'STOPSIGNAL').join() === 'SIGTERM' ? [] : ['STOPSIGNAL must be SIGTERM']),
    ...(probe?.[0] === 'node' && probe.at(-1)?.includes('${process.env.PORT}/livez')
      ? []
      : ['HEALTHCHECK must ask /livez on PORT, in exec form']),
  ];
}

function environmentFaults(final: Stage, { settings }: ServiceImage): string[] {
  const environment = environmentOf(final);
  const names = [...environment.keys()];
  const port = environment.get('PORT');
  return [
    ...names.filter((name) => !isKnownName(settings, name)).map((name) => `the service reads no ${name}`),
    ...names.filter((name) => SECRET_NAME.test(name)).map((name) => `${name} does not belong in an image`),
    ...(environment.get('HOST') === '::'
      ? []
      : ['HOST must be ::, or nothing outside can connect, be it over IPv4 or IPv6']),
    ...(environment.get('NODE_ENV') === 'production' ? [] : ['NODE_ENV must be production']),
    ...Object.entries(ALLOCATOR_ENV)
      .filter(([name, value]) => environment.get(name) !== value)
      .map(([name, value]) => `${name} must be ${value}, or memory does not come back`),
    ...(valuesOf(final, 'EXPOSE').join() === port ? [] : ['EXPOSE must be PORT']),
    ...(settings.get('PORT') === port
      ? []
      : [`PORT is ${port}, but the service's default is ${settings.get('PORT')}`]),
  ];
}
