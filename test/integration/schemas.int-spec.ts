import { getConnectionToken, Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { type Connection, type Schema as MongooseSchema, SchemaTypes, Types } from 'mongoose';
import { buildParts } from '../support/parts.js';

/**
 * Paths that Mongoose stores as whatever comes without being told to. `type: Types.ObjectId`, say, is no type of a
 * schema's (that is `SchemaTypes.ObjectId`) and gives one of these.
 */
function accidentalPaths(schema: MongooseSchema): string[] {
  return Object.entries(schema.paths).flatMap(([path, type]) => {
    const items = (type as { embeddedSchemaType?: typeof type }).embeddedSchemaType;
    return [type, ...(items ? [items] : [])]
      .filter(
        ({ instance, options }) => instance === 'Mixed' && (options as { type?: unknown }).type !== SchemaTypes.Mixed,
      )
      .map(() => path);
  });
}

it('no path of a schema is of any type by accident', async () => {
  const { models } = (await buildParts()).get<Connection>(getConnectionToken());
  expect(Object.keys(models).length).toBeGreaterThan(8);
  const accidents = Object.entries(models).flatMap(([name, { schema }]) =>
    accidentalPaths(schema).map((path) => `${name}.${path}`),
  );
  expect(accidents).toEqual([]);
});

it('and such a path would be found', () => {
  @Schema()
  class Trap {
    @Prop({ type: Types.ObjectId })
    one!: Types.ObjectId;

    @Prop({ type: [Types.ObjectId] })
    many!: Types.ObjectId[];

    @Prop({ type: SchemaTypes.Mixed })
    declared!: unknown;

    @Prop({ type: SchemaTypes.ObjectId })
    right!: Types.ObjectId;
  }
  expect(accidentalPaths(SchemaFactory.createForClass(Trap)).sort()).toEqual(['many', 'one']);
});
