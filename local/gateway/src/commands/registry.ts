import type { Command, CommandHandler } from './command.js';
import * as ddl from './ddl.js';
import * as diagnostics from './diagnostics.js';
import { explain } from './explain.js';
import { findAndModify } from './find-and-modify.js';
import * as indexes from './indexes.js';
import * as reads from './reads.js';
import * as sessions from './session-commands.js';
import { write } from './writes.js';

const inTransaction = (run: CommandHandler): Command => ({ run, inTransaction: true });
const alone = (run: CommandHandler): Command => ({ run });

/** Every command by the names clients call it; they are case-sensitive, as mongod's are. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    insert: inTransaction(write('insert')),
    update: inTransaction(write('update')),
    delete: inTransaction(write('delete')),
    findAndModify: inTransaction(findAndModify),
    findandmodify: inTransaction(findAndModify),
    find: inTransaction(reads.find),
    aggregate: inTransaction(reads.aggregate),
    getMore: inTransaction(reads.getMore),
    killCursors: inTransaction(reads.killCursors),
    distinct: inTransaction(reads.distinct),
    create: inTransaction(ddl.create),
    createIndexes: inTransaction(indexes.createIndexes),
    commitTransaction: inTransaction(sessions.commitTransaction),
    abortTransaction: inTransaction(sessions.abortTransaction),
    hello: inTransaction(diagnostics.hello),
    count: alone(reads.count),
    drop: alone(ddl.drop),
    dropDatabase: alone(ddl.dropDatabase),
    renameCollection: alone(ddl.renameCollection),
    collMod: alone(ddl.collMod),
    dropIndexes: alone(indexes.dropIndexes),
    deleteIndexes: alone(indexes.dropIndexes),
    listCollections: alone(ddl.listCollections),
    listIndexes: alone(indexes.listIndexes),
    listDatabases: alone(ddl.listDatabases),
    collStats: alone(ddl.collStats),
    collstats: alone(ddl.collStats),
    dbStats: alone(ddl.dbStats),
    dbstats: alone(ddl.dbStats),
    validate: alone(ddl.validate),
    explain: alone(explain),
    startSession: alone(sessions.startSession),
    endSessions: alone(sessions.endSessions),
    killSessions: alone(sessions.endSessions),
    killAllSessions: alone(sessions.killAllSessions),
    refreshSessions: alone(sessions.refreshSessions),
    isMaster: alone(diagnostics.hello),
    ismaster: alone(diagnostics.hello),
    ping: alone(diagnostics.ping),
    buildInfo: alone(diagnostics.buildInfo),
    buildinfo: alone(diagnostics.buildInfo),
    connectionStatus: alone(diagnostics.connectionStatus),
    whatsmyuri: alone(diagnostics.whatsMyUri),
    hostInfo: alone(diagnostics.hostInfo),
    getLog: alone(diagnostics.getLog),
    getCmdLineOpts: alone(diagnostics.getCmdLineOpts),
    getParameter: alone(diagnostics.getParameter),
    serverStatus: alone(diagnostics.serverStatus),
    currentOp: alone(diagnostics.currentOp),
  }),
);
