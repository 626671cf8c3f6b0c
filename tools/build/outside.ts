/** Packages that find files of their own at run time: native code, worker threads, pages. They stay in node_modules. */
const NEED_THEIR_FILES = [
  '@fastify/static',
  '@huggingface/transformers',
  'onnxruntime-node',
  'pino',
  'pino-pretty',
  'swagger-ui-dist',
  'tokenizers',
];

/** What Nest and its modules offer to work with where it is installed. Nothing here uses it. */
const NOT_INSTALLED = [
  '@fastify/multipart',
  '@fastify/view',
  '@grpc/grpc-js',
  '@grpc/proto-loader',
  '@mikro-orm/core',
  '@nestjs/microservices',
  '@nestjs/mongoose',
  '@nestjs/platform-express',
  '@nestjs/sequelize',
  '@nestjs/typeorm',
  '@nestjs/websockets',
  'class-transformer',
  'class-validator',
  'mongoose',
  'sequelize',
  'typeorm',
];

/** Whether an import stays one in a bundle. */
export function isLeftOutside(specifier: string): boolean {
  return [...NEED_THEIR_FILES, ...NOT_INSTALLED].some(
    (name) => specifier === name || specifier.startsWith(`${name}/`),
  );
}
