import { MongoError } from '../errors.js';
import type { CommandHandler } from './command.js';

export const explain: CommandHandler = async () => {
  throw new MongoError('CommandNotSupported', 'explain is not supported by this server');
};
