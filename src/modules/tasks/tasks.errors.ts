import { NotFoundError, UploadIncompleteError, ValidationFailedError } from '../../common/errors/problem.js';

/** Unknown, deleted, or another user's: the answer doesn't tell. */
export class TaskNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such task.');
  }
}

export class AttachmentNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such attachment.');
  }
}

/** Asked for its content before there is any. */
export class AttachmentIncompleteError extends UploadIncompleteError {
  constructor() {
    super('Nothing has been uploaded yet, or it has not been completed.');
  }
}

export class TooManyAttachmentsError extends ValidationFailedError {
  constructor(limit: number) {
    super([{ field: 'attachments', message: `must contain no more than ${limit} elements` }]);
  }
}
