import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** A picture of a user's, as it was announced; its content is an object in the store (`avatarPath`). */
@Schema({ _id: false })
export class Avatar {
  /** Random, so that nobody finds a picture by guessing. */
  @Prop({ required: true })
  id!: string;

  @Prop({ required: true })
  contentType!: string;

  /** Bytes. */
  @Prop({ required: true })
  size!: number;
}

export const AvatarSchema = SchemaFactory.createForClass(Avatar);

/** The first segment of the keys of all avatars. */
export const AVATARS = 'avatars';

/** The segments of an avatar's key, or those that all of a user's begin with. */
export function avatarPath(...ids: string[]): string[] {
  return [AVATARS, ...ids];
}
