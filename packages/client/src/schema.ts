// Written by npm run generate:client, from the OpenAPI document. Changes are lost.
export interface paths {
  '/.well-known/jwks.json': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the public keys that verify access tokens.
     * @description A JSON Web Key Set (RFC 7517), for services that verify access tokens themselves. The answer may be cached
     *     for five minutes. It has a rate limit of its own.
     *
     *     Needs no access token.
     */
    get: operations['getJwks'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/api-keys': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List your API keys.
     * @description Shows name, scopes, expiry and last use, but never the key itself. The list is complete: it has no further
     *     pages.
     *
     *     Needs an access token. API keys are refused.
     */
    get: operations['listApiKeys'];
    put?: never;
    /**
     * Create an API key.
     * @description Needs a verified address and a step-up. The answer is the only one that shows the key; send it as a bearer
     *     token. It expires after 90 days unless `expiresAt` says otherwise. A 26th valid key is 409 `LIMIT_REACHED`. A mail
     *     announces the new key.
     *
     *     Needs an access token. API keys are refused.
     */
    post: operations['createApiKey'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/api-keys/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * Remove an API key.
     * @description Every instance rejects requests with the key within one second. It cannot be restored.
     *
     *     Needs an access token. API keys are refused.
     */
    delete: operations['removeApiKey'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/audit': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the entries of the audit trail.
     * @description Security-relevant actions of all users, newest first: who did what, when, from where. Filters combine with
     *     AND.
     *
     *     Needs the role `admin` or a higher one. API keys are refused.
     */
    get: operations['listAudit'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/email/change': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Ask to change your email address.
     * @description Needs a step-up. Mails a link to the new address and a notice to the old one. The change takes effect when
     *     `POST /api/v1/auth/email/verify` receives the token of the link. An address that has an account is 409 `EMAIL_TAKEN`.
     *
     *     Needs an access token. API keys are refused.
     */
    post: operations['changeEmail'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/email/resend': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Mail the verification link again.
     * @description Sends nothing, and answers 202 all the same, if the address is verified or the hourly limit of two links is
     *     reached. The link of the registration counts as one.
     *
     *     Needs an access token. API keys are refused.
     */
    post: operations['resendVerification'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/email/verify': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Confirm an email address with the token from the mail.
     * @description Takes a session of the account that the token belongs to, or the password of that account in the body.
     *     Without either the answer is 401 `UNAUTHENTICATED`, and the token stays valid. After `POST
     *     /api/v1/auth/email/change`, the account moves to the new address, or 409 `EMAIL_TAKEN` if another account has it by
     *     now. A token that is unknown, used, expired or of another account is 400 `INVALID_TOKEN`.
     *
     *     Needs no access token.
     */
    post: operations['verifyEmail'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/login': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Log in with email and password.
     * @description Answers the tokens of a new session. An unknown address is answered like a wrong password, 401
     *     `INVALID_CREDENTIALS`. Where a second factor is on, a correct password is answered 401 `MFA_REQUIRED` with an
     *     `mfaToken` for `POST /api/v1/auth/login/mfa`. After repeated failures, log-ins are 423 `ACCOUNT_LOCKED` until
     *     `Retry-After`; with a `deviceToken`, only failures of that device count. A user has at most 50 sessions: one more
     *     ends the oldest.
     *
     *     Needs no access token.
     */
    post: operations['login'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/login/mfa': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Finish a log-in with the second factor.
     * @description Follows a log-in that was answered `MFA_REQUIRED`. The `mfaToken` is valid for five minutes, five attempts
     *     and one success; after that, and with a wrong code, the answer is 401 `INVALID_CREDENTIALS`. Failures count towards
     *     the lock of the account.
     *
     *     Needs no access token.
     */
    post: operations['loginMfa'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/logout': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * End this session.
     * @description Every instance rejects its access and refresh tokens within one second. Your other sessions continue.
     *
     *     Needs an access token. API keys are refused.
     */
    post: operations['logout'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/logout-all': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * End all your sessions.
     * @description Includes this one. Every instance rejects their tokens within one second. API keys keep working.
     *
     *     Needs an access token. API keys are refused.
     */
    post: operations['logoutAll'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/mfa/totp': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Begin to set up a second factor.
     * @description Needs a verified address and a step-up. Answers a new secret for an authenticator app. The secret takes
     *     effect when `POST /api/v1/auth/mfa/totp/confirm` receives a code of it within ten minutes. If a second factor is on,
     *     the answer is 403 `FORBIDDEN`.
     *
     *     Needs an access token. API keys are refused.
     */
    post: operations['beginMfa'];
    /**
     * Turn the second factor off.
     * @description Needs a step-up. The secret and the recovery codes stop working. Log-ins take the password alone from then
     *     on. Changes nothing if no second factor is on.
     *
     *     Needs an access token. API keys are refused.
     */
    delete: operations['disableMfa'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/mfa/totp/confirm': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Turn the second factor on.
     * @description Takes a code of the secret that was set up last. From then on, log-ins and step-ups need a code. Answers ten
     *     recovery codes, which are not shown again. A wrong code is 401 `INVALID_CREDENTIALS`.
     *
     *     Needs an access token. API keys are refused.
     */
    post: operations['confirmMfa'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/password/change': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Change your password.
     * @description Ends all your other sessions, and removes your API keys unless `keepApiKeys` is true. A wrong current
     *     password is 401 `INVALID_CREDENTIALS`.
     *
     *     Needs an access token. API keys are refused.
     */
    post: operations['changePassword'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/password/forgot': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Ask for a link that sets a new password.
     * @description Always answered 202, in the same time, so the answer does not reveal whether the address has an account. The
     *     mail is limited to a few an hour per address. Its link works once, within an hour.
     *
     *     Needs no access token.
     */
    post: operations['forgotPassword'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/password/reset': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Set a new password with the token from the mail.
     * @description Ends all sessions, removes all API keys and lifts a lock of the account. If the address was never verified,
     *     everything that was set up before is removed too. A token that is unknown, used or expired is 400 `INVALID_TOKEN`.
     *
     *     Needs no access token.
     */
    post: operations['resetPassword'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/refresh': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Exchange a refresh token for new tokens.
     * @description Each refresh token works once. Sent again within ten seconds, while its successor is unused, it is answered
     *     with the same successor, so that a lost answer can be fetched again. Later, it is taken for stolen: 401
     *     `REFRESH_TOKEN_REUSED`, and the session ends. An unknown or expired token is 401 `UNAUTHENTICATED`. Counted per
     *     session, not per address.
     *
     *     Needs no access token.
     */
    post: operations['refresh'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/register': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Create an account and log in.
     * @description Answers the tokens of a first session and mails a link that verifies the address. Until it is verified, some
     *     operations answer 403 `EMAIL_UNVERIFIED`. An address that has an account is 409 `EMAIL_TAKEN`. A password that is
     *     common, or derived from the other fields, is 400.
     *
     *     Needs no access token.
     */
    post: operations['register'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/sessions': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List your sessions.
     * @description One entry per log-in that has not ended, with client, address and last use; `current` marks the session of
     *     this request. The list is complete: it has no further pages.
     *
     *     Needs an access token. API keys are refused.
     */
    get: operations['listSessions'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/auth/sessions/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * End one of your sessions.
     * @description Every instance rejects its tokens within one second. A session that has ended already is 404.
     *
     *     Needs an access token. API keys are refused.
     */
    delete: operations['endSession'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/notifications': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List your notifications.
     * @description The inbox, newest first. It has every notification that you have not muted, whichever channels it was sent
     *     by.
     *
     *     Needs an access token. API keys need the scope `notifications:read`.
     */
    get: operations['listNotifications'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/notifications/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * Delete a notification.
     * @description Removes it from the inbox for good. Messages that were sent for it by other channels are not recalled.
     *
     *     Needs an access token. API keys need the scope `notifications:write`.
     */
    delete: operations['deleteNotification'];
    options?: never;
    head?: never;
    /**
     * Mark a notification as read or unread.
     * @description `readAt` is the time of the first marking; marking as unread sets it to null.
     *
     *     Needs an access token. API keys need the scope `notifications:write`.
     */
    patch: operations['markNotification'];
    trace?: never;
  };
  '/api/v1/notifications/{id}/deliveries': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the deliveries of a notification.
     * @description One entry per message that was sent for the notification, with its channel, state and attempts. Entries are
     *     kept for 30 days. The list is complete: it has no further pages.
     *
     *     Needs an access token. API keys need the scope `notifications:read`.
     */
    get: operations['listDeliveries'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/notifications/push/public-key': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get the public key for Web Push.
     * @description The VAPID key that browsers take as `applicationServerKey`. If Web Push is not set up, the answer is 404.
     *
     *     Needs an access token. API keys need the scope `notifications:read`.
     */
    get: operations['getPublicKey'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/notifications/push/subscriptions': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Subscribe a browser to notifications.
     * @description Needs a verified address. Takes what `PushManager.subscribe()` of the browser returned; the same
     *     subscription again returns the same id. The oldest of 20 subscriptions makes room for a new one. If Web Push is not
     *     set up, the answer is 404.
     *
     *     Needs an access token. API keys need the scope `notifications:write`.
     */
    post: operations['subscribe'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/notifications/push/subscriptions/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * End the subscription of a browser.
     * @description The browser gets no more notifications. Other browsers keep theirs.
     *
     *     Needs an access token. API keys need the scope `notifications:write`.
     */
    delete: operations['unsubscribe'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/notifications/read-all': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Mark all your notifications as read.
     * @description Notifications that arrive later are unread. Has no conditions, because it concerns no single resource.
     *
     *     Needs an access token. API keys need the scope `notifications:write`.
     */
    post: operations['markAllRead'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/notifications/unread-count': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Count your unread notifications.
     * @description The number for a badge. WebSocket clients receive it as it changes.
     *
     *     Needs an access token. API keys need the scope `notifications:read`.
     */
    get: operations['countUnread'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/tasks': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List your tasks.
     * @description Filters combine with AND; several values of one filter with OR. Deleted tasks are left out. Lists are served
     *     by the response cache and are never older than your latest write.
     *
     *     Needs an access token. API keys need the scope `tasks:read`.
     */
    get: operations['listTasks'];
    put?: never;
    /**
     * Create a task.
     * @description Only the title is required. The answer has the address of the task in `Location` and its version in `ETag`.
     *
     *     Needs an access token. API keys need the scope `tasks:write`.
     */
    post: operations['createTask'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/tasks/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read a task.
     * @description A task that is deleted, or belongs to another user, is 404. The `ETag` is the version that a change may name
     *     in `If-Match`.
     *
     *     Needs an access token. API keys need the scope `tasks:read`.
     */
    get: operations['getTask'];
    put?: never;
    post?: never;
    /**
     * Delete a task.
     * @description It can be restored for 30 days. The `ETag` of the answer is the one that restoring it may name in `If-Match`.
     *
     *     Needs an access token. API keys need the scope `tasks:write`.
     */
    delete: operations['deleteTask'];
    options?: never;
    head?: never;
    /**
     * Change a task.
     * @description Changes the fields that are sent and keeps the others; null removes a date. `completedAt` follows `status`.
     *     With `If-Match`, a task that was changed in the meantime is 412 `VERSION_MISMATCH` and stays as it is.
     *
     *     Needs an access token. API keys need the scope `tasks:write`.
     */
    patch: operations['updateTask'];
    trace?: never;
  };
  '/api/v1/tasks/{id}/attachments': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Begin the upload of a file to a task.
     * @description Answers a URL that takes one file of the announced type and size. When the file is uploaded, complete the
     *     attachment; one that is not completed within a day disappears. A 21st file, or one beyond your storage quota, is 409
     *     `LIMIT_REACHED`. The `ETag` is the new one of the task.
     *
     *     Needs an access token. API keys need the scope `tasks:write`.
     */
    post: operations['createAttachment'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/tasks/{id}/attachments/{attachmentId}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Download a file of a task.
     * @description Redirects to a URL that is valid for five minutes. A file whose upload is not complete is 409
     *     `UPLOAD_INCOMPLETE`. `ETag` and conditions refer to the task.
     *
     *     Needs an access token. API keys need the scope `tasks:read`.
     */
    get: operations['getAttachment'];
    put?: never;
    post?: never;
    /**
     * Remove a file from a task.
     * @description The file is deleted and cannot be restored. The `ETag` is the new one of the task.
     *
     *     Needs an access token. API keys need the scope `tasks:write`.
     */
    delete: operations['deleteAttachment'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/tasks/{id}/attachments/{attachmentId}/complete': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Finish the upload of a file.
     * @description Checks that the file has the announced size and type; from then on it can be downloaded. Otherwise the
     *     answer is 409 `UPLOAD_INCOMPLETE`. The `ETag` is the new one of the task. A second call changes nothing.
     *
     *     Needs an access token. API keys need the scope `tasks:write`.
     */
    post: operations['completeAttachment'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/tasks/{id}/history': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the changes of a task.
     * @description Newest first: who changed which fields, from which value to which. The `ETag` is that of the task.
     *
     *     Needs an access token. API keys need the scope `tasks:read`.
     */
    get: operations['getTaskHistory'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/tasks/{id}/restore': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Restore a deleted task.
     * @description Possible for 30 days, then 404. A task that is not deleted is returned as it is.
     *
     *     Needs an access token. API keys need the scope `tasks:write`.
     */
    post: operations['restoreTask'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/tasks/bulk': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Create, change and delete up to 100 tasks.
     * @description Each operation succeeds or fails on its own. `results` has one entry per operation, in the same order, with
     *     its status and the task or the problem. The request itself fails only if the body is malformed.
     *
     *     Needs an access token. API keys need the scope `tasks:write`.
     */
    post: operations['changeTasks'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/tasks/stats': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Get statistics of your tasks.
     * @description Covers all tasks that are not deleted. Days begin at midnight of `timezone`. Numbers that change with time,
     *     such as `overdue`, may be one minute old.
     *
     *     Needs an access token. API keys need the scope `tasks:read`.
     */
    get: operations['getTaskStats'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List users.
     * @description For managers and administrators. `role` and `q` combine with AND. Shows profiles without suspensions.
     *
     *     Needs the role `manager` or a higher one. API keys need the scope `users:read`.
     */
    get: operations['listUsers'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read a user.
     * @description For managers and administrators. Administrators also see whether, since when and why the user is suspended;
     *     with an API key only if it has the scope `users:admin`.
     *
     *     Needs the role `manager` or a higher one. API keys need the scope `users:read`.
     */
    get: operations['getUser'];
    put?: never;
    post?: never;
    /**
     * Delete a user.
     * @description For administrators; needs a step-up. Ends the sessions and API keys of the user, and erases their data in
     *     every module. It cannot be undone. Your own account is 409 `OWN_ACCOUNT`, the last administrator 409 `LAST_ADMIN`.
     *
     *     Needs the role `admin` or a higher one. API keys need the scope `users:write` and `users:admin`.
     */
    delete: operations['deleteUser'];
    options?: never;
    head?: never;
    /**
     * Change the profile of a user.
     * @description For administrators. Takes the fields that users may change themselves, and keeps those that are left out.
     *     The audit trail records which fields were changed.
     *
     *     Needs the role `admin` or a higher one. API keys need the scope `users:write` and `users:admin`.
     */
    patch: operations['updateUser'];
    trace?: never;
  };
  '/api/v1/users/{id}/avatar/{avatarId}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show the picture of a user.
     * @description The target of `avatarUrl`: redirects to the image. Public, because an image in a page sends no token. A
     *     picture that was replaced is 404. The rate limit is ten times the general one.
     *
     *     Needs no access token.
     */
    get: operations['getAvatar'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/{id}/mfa': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * Remove the second factor of a user.
     * @description For administrators; needs a step-up. Helps users who have lost their authenticator and recovery codes: the
     *     next log-in takes the password alone.
     *
     *     Needs the role `admin` or a higher one. API keys need the scope `users:write` and `users:admin`.
     */
    delete: operations['removeUserMfa'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/{id}/role': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    /**
     * Change the role of a user.
     * @description For administrators. Raising a role needs a step-up. Every instance rejects tokens with the old role within
     *     one second. Your own role is 409 `OWN_ACCOUNT`, that of the last administrator 409 `LAST_ADMIN`.
     *
     *     Needs the role `admin` or a higher one. API keys need the scope `users:write` and `users:admin`.
     */
    put: operations['setUserRole'];
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/{id}/sessions': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * End all sessions of a user.
     * @description For administrators. Every instance rejects their tokens within one second. The API keys of the user keep
     *     working.
     *
     *     Needs the role `admin` or a higher one. API keys need the scope `users:write` and `users:admin`.
     */
    delete: operations['endUserSessions'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/{id}/suspend': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Suspend a user.
     * @description For administrators; needs a step-up. Every instance rejects the sessions and API keys of the user within one
     *     second, until the suspension is lifted. No data is deleted, and no messages are sent to the user. Your own account is
     *     409 `OWN_ACCOUNT`, the last administrator 409 `LAST_ADMIN`.
     *
     *     Needs the role `admin` or a higher one. API keys need the scope `users:write` and `users:admin`.
     */
    post: operations['suspendUser'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/{id}/unsuspend': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Lift the suspension of a user.
     * @description For administrators. The user can log in again. Messages that were held back during the suspension are not
     *     sent. Changes nothing if the user is not suspended.
     *
     *     Needs the role `admin` or a higher one. API keys need the scope `users:write` and `users:admin`.
     */
    post: operations['unsuspendUser'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/me': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read your profile.
     * @description Works right after registering. The `ETag` is the version that a change may name in `If-Match`.
     *
     *     Needs an access token. API keys need the scope `users:read`.
     */
    get: operations['getMe'];
    put?: never;
    post?: never;
    /**
     * Delete your account.
     * @description Needs a step-up. Ends your sessions and API keys, and erases your data in every module. It cannot be undone.
     *     The last administrator gets 409 `LAST_ADMIN`.
     *
     *     Needs an access token. API keys are refused.
     */
    delete: operations['deleteMe'];
    options?: never;
    head?: never;
    /**
     * Change your profile.
     * @description Changes the fields that are sent and keeps the others. A new phone number is unverified until `POST
     *     /api/v1/users/me/phone/verify`; null removes the number. Locale and time zone are stored in their canonical form.
     *
     *     Needs an access token. API keys need the scope `users:write`.
     */
    patch: operations['updateMe'];
    trace?: never;
  };
  '/api/v1/users/me/avatar': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Begin the upload of your picture.
     * @description Answers a URL that takes one file of the announced type and size. When the file is uploaded, call `POST
     *     /api/v1/users/me/avatar/complete`. If your storage quota is used up, the answer is 409 `LIMIT_REACHED`.
     *
     *     Needs an access token. API keys need the scope `users:write`.
     */
    post: operations['createAvatar'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/me/avatar/complete': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Finish the upload of your picture.
     * @description Checks the uploaded file and shows it in place of the old picture. A file that is missing, or has another
     *     size or type, is 409 `UPLOAD_INCOMPLETE`. The `ETag` is the new one of your profile.
     *
     *     Needs an access token. API keys need the scope `users:write`.
     */
    post: operations['completeAvatar'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/me/export': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Export your personal data.
     * @description Answers all data that the modules hold of you as one JSON document, without secrets. The audit trail records
     *     the export.
     *
     *     Needs an access token. API keys are refused.
     */
    get: operations['exportMe'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/me/phone/send-code': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Send a code to your phone.
     * @description Needs a verified address. Sends an SMS to the number of your profile; the code is valid for ten minutes and
     *     five attempts. Sends nothing if the number is verified. Without a number, or with one of a country that is not
     *     served, the answer is 400. The sixth code of a day is 429.
     *
     *     Needs an access token. API keys need the scope `users:write`.
     */
    post: operations['sendCode'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/me/phone/verify': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Verify your phone number with the code.
     * @description A code that is wrong, used or expired is 401 `INVALID_CREDENTIALS`; the fifth wrong one ends the code. The
     *     `ETag` is the new one of your profile.
     *
     *     Needs an access token. API keys need the scope `users:write`.
     */
    post: operations['verifyPhone'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/users/me/preferences': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read your notification preferences.
     * @description What you are notified of, by which channels, and when. Defaults apply until you replace them. The `ETag` is
     *     that of your profile.
     *
     *     Needs an access token. API keys need the scope `users:read`.
     */
    get: operations['getPreferences'];
    /**
     * Replace your notification preferences.
     * @description Takes all preferences at once. Messages about the security of your account are sent whatever you choose.
     *     Quiet hours are in the time zone of your profile.
     *
     *     Needs an access token. API keys need the scope `users:write`.
     */
    put: operations['replacePreferences'];
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/health': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Report the state of the process and its dependencies.
     * @description For operators. 503 if MongoDB does not answer or its disk is full; other dependencies are shown, but the
     *     status stays 200. Answers within one second.
     *
     *     Needs no access token.
     */
    get: operations['getHealth'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/health/live': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Report whether the process can answer.
     * @description For orchestrators, which restart a process that fails it. Asks no dependency.
     *
     *     Needs no access token.
     */
    get: operations['getLiveness'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/health/ready': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Report whether the instance should receive requests.
     * @description For load balancers. 503 from the beginning of a shutdown, while MongoDB is unreachable, and while a
     *     migration or an index is missing. `warning` names what an operator should look at.
     *
     *     Needs no access token.
     */
    get: operations['getReadiness'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    AccountResponseDto: {
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      createdAt: string;
      /** @example ada@example.org */
      email: string;
      /** @example false */
      emailVerified: boolean;
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /** @example Ada Lovelace */
      name: string;
      /**
       * @example user
       * @enum {string}
       */
      role: 'user' | 'manager' | 'admin';
    };
    ApiKeyListResponseDto: {
      data: components['schemas']['ApiKeyResponseDto'][];
      page: components['schemas']['PageInfoResponseDto'];
    };
    ApiKeyResponseDto: {
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      createdAt: string;
      /**
       * Format: date-time
       * @description Null for a key of an earlier release until it has been given an expiry.
       * @example 2035-04-15T09:30:00.000Z
       */
      expiresAt: string | null;
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /**
       * Format: date-time
       * @description To the minute.
       * @example null
       */
      lastUsedAt: string | null;
      /** @example nightly report */
      name: string;
      /**
       * @example [
       *       "tasks:read"
       *     ]
       */
      scopes: (
        | 'tasks:read'
        | 'tasks:write'
        | 'notifications:read'
        | 'notifications:write'
        | 'users:read'
        | 'users:write'
        | 'users:admin'
      )[];
    };
    AttachmentResponseDto: {
      /** @example application/pdf */
      contentType: string;
      /** @example Report March.pdf */
      filename: string;
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /**
       * @description Bytes.
       * @example 48213
       */
      size: number;
      /**
       * @description `pending` until its upload has been completed; one that isn't within a day disappears.
       * @example complete
       * @enum {string}
       */
      state: 'pending' | 'complete';
    };
    AttachmentUploadResponseDto: {
      attachment: components['schemas']['AttachmentResponseDto'];
      /**
       * Format: date-time
       * @example 2035-01-15T09:45:00.000Z
       */
      expiresAt: string;
      /**
       * @description To be sent with the file, as they are. Browsers set `Content-Length` by themselves.
       * @example {
       *       "Content-Type": "application/pdf",
       *       "Content-Length": "48213",
       *       "If-None-Match": "*"
       *     }
       */
      headers: {
        [key: string]: string;
      };
      /**
       * @example PUT
       * @enum {string}
       */
      method: 'PUT';
      /**
       * Format: uri
       * @description Good for one upload.
       * @example https://files.example.org/665f1c2e9b1d4a3f8c7e6d5b
       */
      uploadUrl: string;
      /**
       * @description Of the task, of which the attachment is a part.
       * @example 2
       */
      version: number;
    };
    AuditEntryResponseDto: {
      /**
       * @description Null where nobody is known to have done it.
       * @example 665f1c2e9b1d4a3f8c7e6d5b
       */
      actorId: string | null;
      /**
       * @description The API key that was used; null for a session.
       * @example null
       */
      apiKeyId: string | null;
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      at: string;
      /** @example {} */
      details: {
        [key: string]: string;
      };
      /**
       * @example login.succeeded
       * @enum {string}
       */
      event:
        | 'account.registered'
        | 'account.deleted'
        | 'login.succeeded'
        | 'login.failed'
        | 'login.locked'
        | 'step-up.failed'
        | 'refresh-token.reused'
        | 'session.ended'
        | 'sessions.ended'
        | 'password.reset-requested'
        | 'password.reset'
        | 'password.changed'
        | 'email.verified'
        | 'email.change-requested'
        | 'email.changed'
        | 'mfa.enabled'
        | 'mfa.disabled'
        | 'api-key.created'
        | 'api-key.removed'
        | 'role.changed'
        | 'user.changed'
        | 'user.suspended'
        | 'user.unsuspended'
        | 'phone.changed'
        | 'phone.verified'
        | 'data.export-requested'
        | 'access.refused';
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /** @example 203.0.113.7 */
      ip: string | null;
      /** @example Mozilla/5.0 */
      userAgent: string | null;
    };
    AuditListResponseDto: {
      data: components['schemas']['AuditEntryResponseDto'][];
      page: components['schemas']['PageInfoResponseDto'];
    };
    AvatarResponseDto: {
      /**
       * Format: uri
       * @description Leads to the picture, for everybody who has it; another picture has another one.
       * @example https://api.example.org/api/v1/users/665f1c2e9b1d4a3f8c7e6d5b/avatar/0f9c2b7e4d1a8c35
       */
      avatarUrl: string;
    };
    BulkTaskResultResponseDto: {
      /**
       * @description Null where a task couldn't be created.
       * @example 665f1c2e9b1d4a3f8c7e6d5b
       */
      id: string | null;
      /** @description Why the operation failed. */
      problem?: components['schemas']['ProblemResponseDto'];
      /**
       * @description The status that the operation alone would have been answered with.
       * @example 201
       */
      status: number;
      /** @description As it is now; not after a deletion. */
      task?: components['schemas']['TaskResponseDto'];
    };
    BulkTasksDto: {
      /** @description Each is checked by itself, so that a wrong one fails alone. */
      operations: (
        | components['schemas']['CreateTaskOperationDto']
        | components['schemas']['UpdateTaskOperationDto']
        | components['schemas']['DeleteTaskOperationDto']
      )[];
    };
    BulkTasksResponseDto: {
      /** @description One an operation, in their order. */
      results: components['schemas']['BulkTaskResultResponseDto'][];
    };
    ChangeEmailDto: {
      /**
       * @description Where a second factor is on: from the authenticator, or a recovery code. Spaces are ignored.
       * @example 123456
       */
      code?: string;
      /**
       * Format: idn-email
       * @example ada@example.net
       */
      email: string;
      /**
       * @description Your password, asked for again.
       * @example your password
       */
      password?: string;
    };
    ChangePasswordDto: {
      /** @example correct-horse-battery */
      currentPassword: string;
      /**
       * @description Whether your API keys keep working; without it they are removed.
       * @example true
       */
      keepApiKeys?: boolean;
      /** @example another-horse-battery */
      newPassword: string;
    };
    ChannelsDto: {
      /** @example true */
      email: boolean;
      /** @example true */
      push: boolean;
      /** @example false */
      sms: boolean;
    };
    CodeDto: {
      /**
       * @description From the authenticator. Spaces are ignored.
       * @example 123456
       */
      code: string;
    };
    CompletedAttachmentResponseDto: {
      attachment: components['schemas']['AttachmentResponseDto'];
      /**
       * @description Of the task, of which the attachment is a part.
       * @example 2
       */
      version: number;
    };
    CompletedOnDayResponseDto: {
      /** @example 2 */
      count: number;
      /**
       * Format: date
       * @description A day in the time zone asked for.
       * @example 2035-01-31
       */
      date: string;
    };
    CpuResponseDto: {
      /**
       * @description Seconds spent in the system for it.
       * @example 6.25
       */
      system: number;
      /**
       * @description Seconds spent in the process's code.
       * @example 41.5
       */
      user: number;
    };
    CreateApiKeyDto: {
      /**
       * @description Where a second factor is on: from the authenticator, or a recovery code. Spaces are ignored.
       * @example 123456
       */
      code?: string;
      /**
       * Format: date-time
       * @description At most a year from now; 90 days where it is left out.
       * @example null
       */
      expiresAt?: string | null;
      /** @example nightly report */
      name: string;
      /**
       * @description Your password, asked for again.
       * @example your password
       */
      password?: string;
      /**
       * @description Writing includes reading.
       * @example [
       *       "tasks:read"
       *     ]
       */
      scopes: (
        | 'tasks:read'
        | 'tasks:write'
        | 'notifications:read'
        | 'notifications:write'
        | 'users:read'
        | 'users:write'
        | 'users:admin'
      )[];
    };
    CreateAttachmentDto: {
      /**
       * @example application/pdf
       * @enum {string}
       */
      contentType:
        | 'image/png'
        | 'image/jpeg'
        | 'image/gif'
        | 'image/webp'
        | 'image/avif'
        | 'image/heic'
        | 'image/bmp'
        | 'image/tiff'
        | 'application/pdf'
        | 'text/plain'
        | 'text/csv'
        | 'application/msword'
        | 'application/vnd.ms-excel'
        | 'application/vnd.ms-powerpoint'
        | 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
        | 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
        | 'application/vnd.openxmlformats-officedocument.presentationml.presentation'
        | 'application/vnd.oasis.opendocument.text'
        | 'application/vnd.oasis.opendocument.spreadsheet'
        | 'application/vnd.oasis.opendocument.presentation'
        | 'application/zip';
      /** @example Report March.pdf */
      filename: string;
      /**
       * @description Bytes, exactly.
       * @example 48213
       */
      size: number;
    };
    CreateAvatarDto: {
      /**
       * @example image/png
       * @enum {string}
       */
      contentType: 'image/png' | 'image/jpeg' | 'image/webp';
      /**
       * @description Bytes, exactly.
       * @example 48213
       */
      size: number;
    };
    CreatedApiKeyResponseDto: {
      /**
       * Format: date-time
       * @example 2035-04-15T09:30:00.000Z
       */
      expiresAt: string;
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /**
       * @description The key itself, shown this once: send it as `Authorization: Bearer`.
       * @example sak_665f1c2e9b1d4a3f8c7e6d5b_k3J9vQ2mX7pR4tY8wB1nZ6cD5fG0hLsA
       */
      key: string;
      /** @example nightly report */
      name: string;
      /**
       * @example [
       *       "tasks:read"
       *     ]
       */
      scopes: (
        | 'tasks:read'
        | 'tasks:write'
        | 'notifications:read'
        | 'notifications:write'
        | 'users:read'
        | 'users:write'
        | 'users:admin'
      )[];
    };
    CreateTaskDto: {
      /** @example With the numbers of March. */
      description?: string;
      /**
       * Format: date-time
       * @example 2035-01-31T17:00:00.000Z
       */
      dueDate?: string | null;
      /**
       * @default medium
       * @example medium
       * @enum {string}
       */
      priority?: 'low' | 'medium' | 'high' | 'urgent';
      /**
       * Format: date-time
       * @example 2035-01-31T09:00:00.000Z
       */
      remindAt?: string | null;
      /**
       * @default todo
       * @example todo
       * @enum {string}
       */
      status?: 'todo' | 'in_progress' | 'done' | 'archived';
      /**
       * @example [
       *       "work"
       *     ]
       */
      tags?: string[];
      /** @example Write the report */
      title: string;
    };
    CreateTaskOperationDto: {
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      op: 'create';
      task: components['schemas']['CreateTaskDto'];
    };
    DeleteTaskOperationDto: {
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      op: 'delete';
    };
    DeliveryListResponseDto: {
      data: components['schemas']['DeliveryResponseDto'][];
      page: components['schemas']['PageInfoResponseDto'];
    };
    DeliveryResponseDto: {
      /** @example 1 */
      attempts: number;
      /**
       * @example email
       * @enum {string}
       */
      channel: 'email' | 'push' | 'sms';
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      deliveredAt: string | null;
      /**
       * @description Why the latest attempt failed.
       * @example null
       */
      lastError: string | null;
      /**
       * @description `skipped`: there was nobody to send it to, or it wasn't wanted any more. `failed`: it isn't tried again.
       * @example delivered
       * @enum {string}
       */
      state: 'pending' | 'delivered' | 'skipped' | 'failed';
    };
    FieldChangeResponseDto: {
      /**
       * @description A field of the task; `deletedAt` for a deletion and a restoration.
       * @example status
       */
      field: string;
      /** @example todo */
      from: (string | unknown[]) | null;
      /** @example done */
      to: (string | unknown[]) | null;
    };
    FieldErrorResponseDto: {
      /** @example email */
      field: string;
      /** @example must be an email */
      message: string;
    };
    ForgotPasswordDto: {
      /**
       * Format: idn-email
       * @example ada@example.org
       */
      email: string;
    };
    HealthResponseDto: {
      cpu: components['schemas']['CpuResponseDto'];
      /**
       * @example {
       *       "mongodb": {
       *         "status": "up"
       *       },
       *       "redis": {
       *         "status": "up"
       *       },
       *       "storage": {
       *         "status": "up"
       *       },
       *       "clock": {
       *         "status": "up"
       *       }
       *     }
       */
      details: {
        [key: string]: {
          /** @description Why it is down, where that is known */
          message?: string;
          /** @enum {string} */
          status?: 'up' | 'down';
        };
      };
      /**
       * @example {
       *       "mongodb": {
       *         "status": "up"
       *       },
       *       "redis": {
       *         "status": "up"
       *       },
       *       "storage": {
       *         "status": "up"
       *       },
       *       "clock": {
       *         "status": "up"
       *       }
       *     }
       */
      error: {
        [key: string]: {
          /** @description Why it is down, where that is known */
          message?: string;
          /** @enum {string} */
          status?: 'up' | 'down';
        };
      };
      /**
       * @example {
       *       "mongodb": {
       *         "status": "up"
       *       },
       *       "redis": {
       *         "status": "up"
       *       },
       *       "storage": {
       *         "status": "up"
       *       },
       *       "clock": {
       *         "status": "up"
       *       }
       *     }
       */
      info: {
        [key: string]: {
          /** @description Why it is down, where that is known */
          message?: string;
          /** @enum {string} */
          status?: 'up' | 'down';
        };
      };
      memory: components['schemas']['MemoryResponseDto'];
      /** @example ok */
      status: string;
      /**
       * @description Seconds since the start.
       * @example 86400
       */
      uptime: number;
      /** @example 1.0.0 */
      version: string;
    };
    JwksResponseDto: {
      /**
       * @example [
       *       {
       *         "kty": "EC",
       *         "crv": "P-256",
       *         "x": "…",
       *         "y": "…",
       *         "kid": "…",
       *         "use": "sig",
       *         "alg": "ES256"
       *       }
       *     ]
       */
      keys: {
        [key: string]: string;
      }[];
    };
    LoginDto: {
      /**
       * @description The `deviceToken` of an earlier log-in from this device. Failed log-ins from elsewhere then don't lock this one out.
       *     One that isn't accepted (any more) changes nothing.
       * @example paste the deviceToken here
       */
      deviceToken?: string;
      /**
       * Format: idn-email
       * @example ada@example.org
       */
      email: string;
      /** @example correct-horse-battery */
      password: string;
    };
    LoginMfaDto: {
      /**
       * @description From the authenticator, or a recovery code. Spaces are ignored.
       * @example 123456
       */
      code: string;
      /**
       * @description From the answer `MFA_REQUIRED`.
       * @example paste the mfaToken here
       */
      mfaToken: string;
    };
    MarkNotificationDto: {
      /**
       * @description Whether it counts as read from now on.
       * @example true
       */
      read: boolean;
    };
    MemoryResponseDto: {
      /**
       * @description Used JavaScript heap, bytes.
       * @example 73400320
       */
      heapUsed: number;
      /**
       * @description Resident set size, bytes.
       * @example 157286400
       */
      rss: number;
    };
    MfaRequiredProblemResponseDto: {
      /**
       * @example MFA_REQUIRED
       * @enum {string}
       */
      code: 'MFA_REQUIRED';
      /** @example There is nothing here. */
      detail: string;
      errors?: components['schemas']['FieldErrorResponseDto'][];
      /** @example /api/v1/tasks/665f1c2e9b1d4a3f8c7e6d5b */
      instance: string;
      /**
       * @description What the second step takes.
       * @example [
       *       "code"
       *     ]
       */
      methods: string[];
      /**
       * @description For `POST /api/v1/auth/login/mfa`. Valid once, for five minutes.
       * @example k3J9vQ2mX7pR4tY8wB1nZ6cD5fG0hLsA
       */
      mfaToken: string;
      /**
       * @description Names the request in the logs.
       * @example 4f0c1a52-6f0e-4b7a-9d5e-2f1f3f6f9a10
       */
      requestId: string;
      /** @example 404 */
      status: number;
      /** @example Not found */
      title: string;
      /**
       * @description A page for people that says what happened and what to do.
       * @example https://api.example.org/problems/not-found
       */
      type: string;
    };
    NotificationListResponseDto: {
      data: components['schemas']['NotificationResponseDto'][];
      page: components['schemas']['PageInfoResponseDto'];
    };
    NotificationResponseDto: {
      /** @example “Write the report” is done. */
      body: string;
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      createdAt: string;
      /**
       * @example {
       *       "taskId": "665f1c2e9b1d4a3f8c7e6d5b"
       *     }
       */
      data: {
        [key: string]: string;
      };
      /**
       * @example task.completed
       * @enum {string}
       */
      event:
        | 'task.reminder'
        | 'task.overdue'
        | 'task.completed'
        | 'account.new-login'
        | 'account.password-changed'
        | 'account.email-verification'
        | 'account.password-reset'
        | 'account.mfa-changed'
        | 'account.api-key-created'
        | 'digest.daily';
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /**
       * Format: date-time
       * @example null
       */
      readAt: string | null;
      /** @example Task completed */
      title: string;
    };
    PageInfoResponseDto: {
      /** @example false */
      hasMore: boolean;
      /** @example 20 */
      limit: number;
      /**
       * @description Give it back as `cursor` for the next page; null on the last one.
       * @example null
       */
      nextCursor: string | null;
    };
    PersonalDataResponseDto: {
      /**
       * @description What each module holds of the person.
       * @example {
       *       "users": {},
       *       "tasks": {}
       *     }
       */
      data: {
        [key: string]: unknown;
      };
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      exportedAt: string;
    };
    PhoneCodeDto: {
      /** @example 123456 */
      code: string;
    };
    PreferencesDto: {
      channels: components['schemas']['ChannelsDto'];
      /**
       * @description `daily` collects the mails of a day into one.
       * @example daily
       * @enum {string}
       */
      digest: 'off' | 'daily';
      /**
       * @description Events that you are not notified of, neither in the inbox nor by a channel. Mails about the account are sent anyway.
       * @example [
       *       "task.completed"
       *     ]
       */
      mutedEvents: (
        | 'task.reminder'
        | 'task.overdue'
        | 'task.completed'
        | 'account.new-login'
        | 'account.password-changed'
        | 'account.email-verification'
        | 'account.password-reset'
        | 'account.mfa-changed'
        | 'account.api-key-created'
        | 'digest.daily'
      )[];
      quietHours: components['schemas']['QuietHoursDto'] | null;
    };
    PriorityCountsResponseDto: {
      /** @example 3 */
      high: number;
      /** @example 2 */
      low: number;
      /** @example 10 */
      medium: number;
      /** @example 1 */
      urgent: number;
    };
    ProbeResponseDto: {
      /** @example ok */
      status: string;
      /**
       * @description What an operator should look at although requests are answered.
       * @example "the clock of this machine is 12.4 s ahead of MongoDB"s"
       */
      warning?: string;
    };
    ProblemResponseDto: {
      /**
       * @example NOT_FOUND
       * @enum {string}
       */
      code:
        | 'VALIDATION_FAILED'
        | 'MALFORMED_BODY'
        | 'BAD_REQUEST'
        | 'INVALID_TOKEN'
        | 'UNAUTHENTICATED'
        | 'TOKEN_EXPIRED'
        | 'INVALID_CREDENTIALS'
        | 'MFA_REQUIRED'
        | 'REFRESH_TOKEN_REUSED'
        | 'FORBIDDEN'
        | 'EMAIL_UNVERIFIED'
        | 'STEP_UP_REQUIRED'
        | 'ACCOUNT_SUSPENDED'
        | 'NOT_FOUND'
        | 'METHOD_NOT_ALLOWED'
        | 'REQUEST_TIMEOUT'
        | 'EMAIL_TAKEN'
        | 'LIMIT_REACHED'
        | 'REQUEST_IN_PROGRESS'
        | 'UPLOAD_INCOMPLETE'
        | 'OWN_ACCOUNT'
        | 'LAST_ADMIN'
        | 'VERSION_MISMATCH'
        | 'PAYLOAD_TOO_LARGE'
        | 'URI_TOO_LONG'
        | 'UNSUPPORTED_MEDIA_TYPE'
        | 'RANGE_NOT_SATISFIABLE'
        | 'EXPECTATION_FAILED'
        | 'IDEMPOTENCY_KEY_REUSED'
        | 'ACCOUNT_LOCKED'
        | 'UPGRADE_REQUIRED'
        | 'RATE_LIMITED'
        | 'HEADERS_TOO_LARGE'
        | 'INTERNAL'
        | 'NOT_IMPLEMENTED'
        | 'DEPENDENCY_UNAVAILABLE'
        | 'OVERLOADED';
      /** @example There is nothing here. */
      detail: string;
      errors?: components['schemas']['FieldErrorResponseDto'][];
      /** @example /api/v1/tasks/665f1c2e9b1d4a3f8c7e6d5b */
      instance: string;
      /**
       * @description With `STEP_UP_REQUIRED`: what to send with the request, all of it; empty where a new log-in is needed. With `MFA_REQUIRED`:
       *     what the second step takes.
       * @example [
       *       "password"
       *     ]
       */
      methods?: string[];
      /**
       * @description Names the request in the logs.
       * @example 4f0c1a52-6f0e-4b7a-9d5e-2f1f3f6f9a10
       */
      requestId: string;
      /** @example 404 */
      status: number;
      /** @example Not found */
      title: string;
      /**
       * @description A page for people that says what happened and what to do.
       * @example https://api.example.org/problems/not-found
       */
      type: string;
    };
    PushKeysDto: {
      /** @example BTBZMqHH6r4Tts7J_aSIgg */
      auth: string;
      /**
       * @description The browser's public key, on the curve P-256.
       * @example BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4
       */
      p256dh: string;
    };
    PushSubscriptionResponseDto: {
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
    };
    QuietHoursDto: {
      /** @example 07:00 */
      end: string;
      /** @example 22:00 */
      start: string;
    };
    RecoveryCodesResponseDto: {
      /**
       * @description Each works once, in the place of a code; shown this once.
       * @example [
       *       "ABCD-EFGH-JKLM-NPQR"
       *     ]
       */
      recoveryCodes: string[];
    };
    RefreshDto: {
      /**
       * @description The `refreshToken` of the last answer; it works once.
       * @example paste the refreshToken here
       */
      refreshToken: string;
    };
    RegisterDto: {
      /**
       * Format: idn-email
       * @example ada@example.org
       */
      email: string;
      /** @example Ada Lovelace */
      name: string;
      /**
       * @description Not a common password, nor derived from the name, the address or this service's name, nor a repetition or sequence.
       * @example correct-horse-battery
       */
      password: string;
    };
    ResetPasswordDto: {
      /** @example another-horse-battery */
      password: string;
      /**
       * @description The part behind `#token=` of the link in the mail.
       * @example paste the token here
       */
      token: string;
    };
    SessionListResponseDto: {
      data: components['schemas']['SessionResponseDto'][];
      page: components['schemas']['PageInfoResponseDto'];
    };
    SessionResponseDto: {
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      createdAt: string;
      /**
       * @description Whether this request belongs to it.
       * @example true
       */
      current: boolean;
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /** @example 203.0.113.7 */
      ip: string;
      /**
       * Format: date-time
       * @description The last time its refresh token was used.
       * @example 2035-01-15T09:30:00.000Z
       */
      lastUsedAt: string;
      /** @example Mozilla/5.0 */
      userAgent: string;
    };
    SetRoleDto: {
      /**
       * @description Where a second factor is on: from the authenticator, or a recovery code. Spaces are ignored.
       * @example 123456
       */
      code?: string;
      /**
       * @description Your password, asked for again.
       * @example your password
       */
      password?: string;
      /**
       * @example manager
       * @enum {string}
       */
      role: 'user' | 'manager' | 'admin';
    };
    StatusCountsResponseDto: {
      /** @example 0 */
      archived: number;
      /** @example 12 */
      done: number;
      /** @example 1 */
      in_progress: number;
      /** @example 3 */
      todo: number;
    };
    StepUpDto: {
      /**
       * @description Where a second factor is on: from the authenticator, or a recovery code. Spaces are ignored.
       * @example 123456
       */
      code?: string;
      /**
       * @description Your password, asked for again.
       * @example your password
       */
      password?: string;
    };
    SubscribeDto: {
      /**
       * Format: uri
       * @description Public, on the usual port.
       * @example https://updates.push.services.mozilla.com/wpush/v2/gAAAAA
       */
      endpoint: string;
      /**
       * @description Milliseconds since 1970.
       * @example 2051222400000
       */
      expirationTime?: number | null;
      keys: components['schemas']['PushKeysDto'];
    };
    SuspendUserDto: {
      /**
       * @description Where a second factor is on: from the authenticator, or a recovery code. Spaces are ignored.
       * @example 123456
       */
      code?: string;
      /**
       * @description Your password, asked for again.
       * @example your password
       */
      password?: string;
      /**
       * @description For administrators and the audit trail; the user doesn't see it.
       * @example spam
       */
      reason?: string;
    };
    SuspensionResponseDto: {
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      at: string;
      /**
       * @description What the administrator who suspended the user gave as the reason.
       * @example spam
       */
      reason: string | null;
    };
    TaskChangeResponseDto: {
      /**
       * @description Who did it.
       * @example 665f1c2e9b1d4a3f8c7e6d5b
       */
      actorId: string;
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      at: string;
      changes: components['schemas']['FieldChangeResponseDto'][];
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
    };
    TaskHistoryResponseDto: {
      data: components['schemas']['TaskChangeResponseDto'][];
      page: components['schemas']['PageInfoResponseDto'];
    };
    TaskListResponseDto: {
      data: components['schemas']['TaskResponseDto'][];
      page: components['schemas']['PageInfoResponseDto'];
    };
    TaskResponseDto: {
      attachments: components['schemas']['AttachmentResponseDto'][];
      /**
       * Format: date-time
       * @example null
       */
      completedAt: string | null;
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      createdAt: string;
      /** @example With the numbers of March. */
      description: string;
      /**
       * Format: date-time
       * @example 2035-01-31T17:00:00.000Z
       */
      dueDate: string | null;
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /**
       * @example medium
       * @enum {string}
       */
      priority: 'low' | 'medium' | 'high' | 'urgent';
      /**
       * Format: date-time
       * @example 2035-01-31T09:00:00.000Z
       */
      remindAt: string | null;
      /**
       * @example todo
       * @enum {string}
       */
      status: 'todo' | 'in_progress' | 'done' | 'archived';
      /**
       * @example [
       *       "work"
       *     ]
       */
      tags: string[];
      /** @example Write the report */
      title: string;
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      updatedAt: string;
      /**
       * @description Grows with each change; the `ETag`.
       * @example 1
       */
      version: number;
    };
    TaskStatsResponseDto: {
      /**
       * @description Hours from creation to completion; null while nothing has been completed.
       * @example 26.5
       */
      averageHoursToComplete: number | null;
      byPriority: components['schemas']['PriorityCountsResponseDto'];
      byStatus: components['schemas']['StatusCountsResponseDto'];
      /** @description The last 30 days, today last. */
      completedPerDay: components['schemas']['CompletedOnDayResponseDto'][];
      /**
       * @description Open tasks that are due on the current day.
       * @example 2
       */
      dueToday: number;
      /**
       * @description Open tasks whose due date has passed.
       * @example 1
       */
      overdue: number;
      /** @example 16 */
      total: number;
    };
    TokensResponseDto: {
      /**
       * @description A JWT; verify it with `/.well-known/jwks.json`.
       * @example eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI2NjVmMWMyZTliMWQ0YTNmOGM3ZTZkNWIifQ.c2lnbmF0dXJl
       */
      accessToken: string;
      /**
       * @description Opaque; keep it on this device and send it with the next log-ins, so that failed log-ins from elsewhere don't lock this
       *     device out. Good for 180 days, until the password changes.
       * @example dV7pR4tY8wB1nZ6cD5fG0hLsAk3J9vQ2mX
       */
      deviceToken: string;
      /**
       * @description Seconds until the access token expires.
       * @example 900
       */
      expiresIn: number;
      /**
       * @description Opaque; works once.
       * @example rT5vQ2mX7pR4tY8wB1nZ6cD5fG0hLsAk3J9
       */
      refreshToken: string;
      /** @example Bearer */
      tokenType: string;
      user: components['schemas']['AccountResponseDto'];
    };
    TotpSecretResponseDto: {
      /** @example otpauth://totp/scalable-api:ada@example.org?secret=JBSWY3DPEHPK3PXP&issuer=scalable-api */
      otpauthUrl: string;
      /**
       * @description The same as a QR code: an SVG document.
       * @example <svg xmlns="http://www.w3.org/2000/svg"></svg>
       */
      qrSvg: string;
      /**
       * @description Base32.
       * @example JBSWY3DPEHPK3PXP
       */
      secret: string;
    };
    UnreadCountResponseDto: {
      /** @example 3 */
      count: number;
    };
    UnsuspendUserDto: {
      /**
       * @description For the audit trail.
       * @example a mistake
       */
      reason?: string;
    };
    UpdateTaskDto: {
      /** @example With the numbers of March. */
      description?: string;
      /**
       * Format: date-time
       * @example 2035-01-31T17:00:00.000Z
       */
      dueDate?: string | null;
      /**
       * @example medium
       * @enum {string}
       */
      priority?: 'low' | 'medium' | 'high' | 'urgent';
      /**
       * Format: date-time
       * @example 2035-01-31T09:00:00.000Z
       */
      remindAt?: string | null;
      /**
       * @example todo
       * @enum {string}
       */
      status?: 'todo' | 'in_progress' | 'done' | 'archived';
      /**
       * @example [
       *       "work"
       *     ]
       */
      tags?: string[];
      /** @example Write the report */
      title?: string;
    };
    UpdateTaskOperationDto: {
      changes: components['schemas']['UpdateTaskDto'];
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      op: 'update';
    };
    UpdateUserDto: {
      /** @example de-AT */
      locale?: string;
      /** @example Ada Lovelace */
      name?: string;
      /**
       * @description E.164; unverified until confirmed.
       * @example +436601234567
       */
      phone?: string | null;
      /** @example Europe/Vienna */
      timezone?: string;
    };
    UploadResponseDto: {
      /**
       * Format: date-time
       * @example 2035-01-15T09:45:00.000Z
       */
      expiresAt: string;
      /**
       * @description To be sent with the file, as they are. Browsers set `Content-Length` by themselves.
       * @example {
       *       "Content-Type": "application/pdf",
       *       "Content-Length": "48213",
       *       "If-None-Match": "*"
       *     }
       */
      headers: {
        [key: string]: string;
      };
      /**
       * @example PUT
       * @enum {string}
       */
      method: 'PUT';
      /**
       * Format: uri
       * @description Good for one upload.
       * @example https://files.example.org/665f1c2e9b1d4a3f8c7e6d5b
       */
      uploadUrl: string;
    };
    UserDetailsResponseDto: {
      /** @example null */
      avatarUrl: string | null;
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      createdAt: string;
      /** @example ada@example.org */
      email: string;
      /** @example true */
      emailVerified: boolean;
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /** @example de-AT */
      locale: string;
      /** @example Ada Lovelace */
      name: string;
      /** @example +436601234567 */
      phone: string | null;
      /**
       * @example user
       * @enum {string}
       */
      role: 'user' | 'manager' | 'admin';
      /** @description Null for a user who isn't suspended. Only administrators get this field. */
      suspended?: components['schemas']['SuspensionResponseDto'] | null;
      /** @example Europe/Vienna */
      timezone: string;
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      updatedAt: string;
    };
    UserListResponseDto: {
      data: components['schemas']['UserResponseDto'][];
      page: components['schemas']['PageInfoResponseDto'];
    };
    UserResponseDto: {
      /** @example null */
      avatarUrl: string | null;
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      createdAt: string;
      /** @example ada@example.org */
      email: string;
      /** @example true */
      emailVerified: boolean;
      /** @example 665f1c2e9b1d4a3f8c7e6d5b */
      id: string;
      /** @example de-AT */
      locale: string;
      /** @example Ada Lovelace */
      name: string;
      /** @example +436601234567 */
      phone: string | null;
      /**
       * @example user
       * @enum {string}
       */
      role: 'user' | 'manager' | 'admin';
      /** @example Europe/Vienna */
      timezone: string;
      /**
       * Format: date-time
       * @example 2035-01-15T09:30:00.000Z
       */
      updatedAt: string;
    };
    VapidKeyResponseDto: {
      /**
       * @description Base64url, as `applicationServerKey` takes it.
       * @example BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4
       */
      publicKey: string;
    };
    VerifyEmailDto: {
      /**
       * @description Of the account that the link is about; not needed where its owner is logged in.
       * @example correct-horse-battery
       */
      password?: string;
      /**
       * @description The part behind `#token=` of the link in the mail.
       * @example paste the token here
       */
      token: string;
    };
  };
  responses: {
    /** @description `ACCOUNT_LOCKED`: The account is locked for a while */
    AccountLocked: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'Retry-After': components['headers']['Retry-After'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `ACCOUNT_SUSPENDED`: The account is suspended */
    AccountSuspended: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'WWW-Authenticate': components['headers']['Optional-WWW-Authenticate'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `DEPENDENCY_UNAVAILABLE`: A part of the service is unavailable; `OVERLOADED`: The service is overloaded */
    DependencyUnavailableOrOverloaded: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['Optional-RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['Optional-RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['Optional-RateLimit-Reset'];
        'Retry-After': components['headers']['Retry-After'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `EMAIL_TAKEN`: The email address is taken */
    EmailTaken: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `FORBIDDEN`: Not allowed; `ACCOUNT_SUSPENDED`: The account is suspended */
    ForbiddenOrAccountSuspended: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'WWW-Authenticate': components['headers']['Optional-WWW-Authenticate'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `FORBIDDEN`: Not allowed; `EMAIL_UNVERIFIED`: The email address is not verified; `ACCOUNT_SUSPENDED`: The account is suspended */
    ForbiddenOrEmailUnverifiedOrAccountSuspended: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'WWW-Authenticate': components['headers']['Optional-WWW-Authenticate'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `FORBIDDEN`: Not allowed; `EMAIL_UNVERIFIED`: The email address is not verified; `STEP_UP_REQUIRED`: Your password or code is required again; `ACCOUNT_SUSPENDED`: The account is suspended */
    ForbiddenOrEmailUnverifiedOrStepUpRequiredOrAccountSuspended: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'WWW-Authenticate': components['headers']['Optional-WWW-Authenticate'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `FORBIDDEN`: Not allowed; `STEP_UP_REQUIRED`: Your password or code is required again; `ACCOUNT_SUSPENDED`: The account is suspended */
    ForbiddenOrStepUpRequiredOrAccountSuspended: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'WWW-Authenticate': components['headers']['Optional-WWW-Authenticate'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `IDEMPOTENCY_KEY_REUSED`: The idempotency key was used for another request */
    IdempotentIdempotencyKeyReused: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'Idempotency-Replayed': components['headers']['Optional-Idempotency-Replayed'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `NOT_FOUND`: Not found */
    IdempotentNotFound: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'Idempotency-Replayed': components['headers']['Optional-Idempotency-Replayed'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `PAYLOAD_TOO_LARGE`: The body is too large */
    IdempotentPayloadTooLarge: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'Idempotency-Replayed': components['headers']['Optional-Idempotency-Replayed'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `UNSUPPORTED_MEDIA_TYPE`: The media type is not supported */
    IdempotentUnsupportedMediaType: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'Idempotency-Replayed': components['headers']['Optional-Idempotency-Replayed'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `VALIDATION_FAILED`: The request is not valid; `MALFORMED_BODY`: The body is not valid JSON */
    IdempotentValidationFailedOrMalformedBody: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'Idempotency-Replayed': components['headers']['Optional-Idempotency-Replayed'];
        'RateLimit-Limit': components['headers']['Optional-RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['Optional-RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['Optional-RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `VERSION_MISMATCH`: The resource has changed */
    IdempotentVersionMismatch: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        ETag: components['headers']['Optional-ETag'];
        'Idempotency-Replayed': components['headers']['Optional-Idempotency-Replayed'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Cache': components['headers']['Optional-X-Cache'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `INTERNAL`: Something went wrong on our side */
    Internal: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['Optional-RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['Optional-RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['Optional-RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `INVALID_CREDENTIALS`: The credentials are not valid */
    InvalidCredentials: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'WWW-Authenticate': components['headers']['WWW-Authenticate'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `INVALID_CREDENTIALS`: The credentials are not valid; `MFA_REQUIRED`: A second factor is required */
    InvalidCredentialsOrMfaRequired: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'WWW-Authenticate': components['headers']['WWW-Authenticate'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json':
          components['schemas']['MfaRequiredProblemResponseDto'] | components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `LAST_ADMIN`: The last administrator has to stay */
    LastAdmin: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `LIMIT_REACHED`: A limit is reached */
    LimitReached: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `LIMIT_REACHED`: A limit is reached; `REQUEST_IN_PROGRESS`: The same request is still running */
    LimitReachedOrRequestInProgress: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'Retry-After': components['headers']['Optional-Retry-After'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `NOT_FOUND`: Not found */
    NotFound: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description Not modified: what `If-None-Match` names is current */
    NotModified: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content?: never;
    };
    /** @description Not modified: what `If-None-Match` names is current */
    NotModifiedETag: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        ETag: components['headers']['ETag'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content?: never;
    };
    /** @description Not modified: what `If-None-Match` names is current */
    NotModifiedETagXCache: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        ETag: components['headers']['ETag'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Cache': components['headers']['X-Cache'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content?: never;
    };
    /** @description `OWN_ACCOUNT`: Not possible for your own account; `LAST_ADMIN`: The last administrator has to stay */
    OwnAccountOrLastAdmin: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `PAYLOAD_TOO_LARGE`: The body is too large */
    PayloadTooLarge: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `RATE_LIMITED`: Too many requests */
    RateLimited: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'Retry-After': components['headers']['Retry-After'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `REQUEST_IN_PROGRESS`: The same request is still running */
    RequestInProgress: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'Retry-After': components['headers']['Optional-Retry-After'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `UNAUTHENTICATED`: Authentication is required; `INVALID_CREDENTIALS`: The credentials are not valid */
    UnauthenticatedOrInvalidCredentials: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'WWW-Authenticate': components['headers']['WWW-Authenticate'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `UNAUTHENTICATED`: Authentication is required; `REFRESH_TOKEN_REUSED`: The refresh token was used before */
    UnauthenticatedOrRefreshTokenReused: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'WWW-Authenticate': components['headers']['WWW-Authenticate'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `UNAUTHENTICATED`: Authentication is required; `TOKEN_EXPIRED`: The access token has expired */
    UnauthenticatedOrTokenExpired: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'WWW-Authenticate': components['headers']['WWW-Authenticate'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `UNAUTHENTICATED`: Authentication is required; `TOKEN_EXPIRED`: The access token has expired; `INVALID_CREDENTIALS`: The credentials are not valid */
    UnauthenticatedOrTokenExpiredOrInvalidCredentials: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'WWW-Authenticate': components['headers']['WWW-Authenticate'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description Not modified: what `If-None-Match` names is current */
    UnlimitedNotModified: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content?: never;
    };
    /** @description `VALIDATION_FAILED`: The request is not valid */
    UnlimitedValidationFailed: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `VERSION_MISMATCH`: The resource has changed */
    UnlimitedVersionMismatch: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        ETag: components['headers']['Optional-ETag'];
        'X-Cache': components['headers']['Optional-X-Cache'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `UNSUPPORTED_MEDIA_TYPE`: The media type is not supported */
    UnsupportedMediaType: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `UPLOAD_INCOMPLETE`: The file is not there yet */
    UploadIncomplete: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `VALIDATION_FAILED`: The request is not valid */
    ValidationFailed: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['Optional-RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['Optional-RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['Optional-RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `VALIDATION_FAILED`: The request is not valid; `MALFORMED_BODY`: The body is not valid JSON */
    ValidationFailedOrMalformedBody: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['Optional-RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['Optional-RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['Optional-RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `VALIDATION_FAILED`: The request is not valid; `MALFORMED_BODY`: The body is not valid JSON; `INVALID_TOKEN`: The token is not valid */
    ValidationFailedOrMalformedBodyOrInvalidToken: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        'RateLimit-Limit': components['headers']['Optional-RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['Optional-RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['Optional-RateLimit-Reset'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
    /** @description `VERSION_MISMATCH`: The resource has changed */
    VersionMismatch: {
      headers: {
        'Cache-Control': components['headers']['Cache-Control'];
        ETag: components['headers']['Optional-ETag'];
        'RateLimit-Limit': components['headers']['RateLimit-Limit'];
        'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
        'RateLimit-Reset': components['headers']['RateLimit-Reset'];
        'X-Cache': components['headers']['Optional-X-Cache'];
        'X-Request-Id': components['headers']['X-Request-Id'];
        [name: string]: unknown;
      };
      content: {
        'application/problem+json': components['schemas']['ProblemResponseDto'];
      };
    };
  };
  parameters: {
    /**
     * @description An id; a malformed one is answered like an unknown one, 404
     * @example 665f1c2e9b1d4a3f8c7e6d5b
     */
    AttachmentId: string;
    /** @description `page.nextCursor` of the page before. */
    Cursor: string;
    /**
     * @description An id; a malformed one is answered like an unknown one, 404
     * @example 665f1c2e9b1d4a3f8c7e6d5b
     */
    Id: string;
    /** @description For 24 hours, the same request with the same key is carried out once and answered alike */
    IdempotencyKey: string;
    /** @description Answered 412 unless it names the current `ETag`, or is `*` */
    IfMatch: string;
    /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
    IfNoneMatch: string;
    /** @description How many rows at the most. */
    Limit: number;
  };
  requestBodies: never;
  headers: {
    /**
     * @description Who may keep the answer, and for how long
     * @example private, no-cache
     */
    'Cache-Control': string;
    /**
     * @description The version of the resource, for `If-Match` and `If-None-Match`
     * @example "3"
     */
    ETag: string;
    /** @description The address of what was created, or of the file */
    Location: string;
    /**
     * @description The version of the resource, for `If-Match` and `If-None-Match`
     * @example "3"
     */
    'Optional-ETag': string;
    /** @description This is the answer to an earlier request with the same `Idempotency-Key` */
    'Optional-Idempotency-Replayed': 'true';
    /**
     * @description Where the next page is (RFC 8288); missing on the last one
     * @example </api/v1/tasks?cursor=…>; rel="next"
     */
    'Optional-Link': string;
    /** @description Requests allowed per window */
    'Optional-RateLimit-Limit': number;
    /** @description Requests left in this window */
    'Optional-RateLimit-Remaining': number;
    /** @description Seconds until the window ends */
    'Optional-RateLimit-Reset': number;
    /** @description Seconds to wait before the next attempt */
    'Optional-Retry-After': number;
    /**
     * @description The challenge (RFC 6750)
     * @example Bearer realm="scalable-api", error="invalid_token"
     */
    'Optional-WWW-Authenticate': string;
    /** @description Whether the response cache answered */
    'Optional-X-Cache': 'HIT' | 'MISS' | 'BYPASS';
    /** @description Requests allowed per window */
    'RateLimit-Limit': number;
    /** @description Requests left in this window */
    'RateLimit-Remaining': number;
    /** @description Seconds until the window ends */
    'RateLimit-Reset': number;
    /** @description Seconds to wait before the next attempt */
    'Retry-After': number;
    /**
     * @description The challenge (RFC 6750)
     * @example Bearer realm="scalable-api", error="invalid_token"
     */
    'WWW-Authenticate': string;
    /** @description Whether the response cache answered */
    'X-Cache': 'HIT' | 'MISS' | 'BYPASS';
    /**
     * @description The id of this request, in each of its log lines
     * @example 4f0c1a52-6f0e-4b7a-9d5e-2f1f3f6f9a10
     */
    'X-Request-Id': string;
  };
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  getJwks: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "keys": [
           *         {
           *           "kty": "EC",
           *           "crv": "P-256",
           *           "x": "…",
           *           "y": "…",
           *           "kid": "…",
           *           "use": "sig",
           *           "alg": "ES256"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['JwksResponseDto'];
        };
      };
      304: components['responses']['NotModified'];
      400: components['responses']['ValidationFailed'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  listApiKeys: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "data": [
           *         {
           *           "scopes": [
           *             "tasks:read"
           *           ],
           *           "expiresAt": "2035-04-15T09:30:00.000Z",
           *           "lastUsedAt": null,
           *           "createdAt": "2035-01-15T09:30:00.000Z",
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "name": "nightly report"
           *         }
           *       ],
           *       "page": {
           *         "limit": 20,
           *         "nextCursor": null,
           *         "hasMore": false
           *       }
           *     }
           */
          'application/json': components['schemas']['ApiKeyListResponseDto'];
        };
      };
      304: components['responses']['NotModified'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  createApiKey: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateApiKeyDto'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "scopes": [
           *         "tasks:read"
           *       ],
           *       "expiresAt": "2035-04-15T09:30:00.000Z",
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *       "name": "nightly report",
           *       "key": "sak_665f1c2e9b1d4a3f8c7e6d5b_k3J9vQ2mX7pR4tY8wB1nZ6cD5fG0hLsA"
           *     }
           */
          'application/json': components['schemas']['CreatedApiKeyResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrEmailUnverifiedOrStepUpRequiredOrAccountSuspended'];
      409: components['responses']['LimitReached'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  removeApiKey: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  listAudit: {
    parameters: {
      query?: {
        /** @description Only entries of this user. */
        actorId?: string;
        /** @description `page.nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor'];
        /** @description Only entries of this kind. */
        event?:
          | 'account.registered'
          | 'account.deleted'
          | 'login.succeeded'
          | 'login.failed'
          | 'login.locked'
          | 'step-up.failed'
          | 'refresh-token.reused'
          | 'session.ended'
          | 'sessions.ended'
          | 'password.reset-requested'
          | 'password.reset'
          | 'password.changed'
          | 'email.verified'
          | 'email.change-requested'
          | 'email.changed'
          | 'mfa.enabled'
          | 'mfa.disabled'
          | 'api-key.created'
          | 'api-key.removed'
          | 'role.changed'
          | 'user.changed'
          | 'user.suspended'
          | 'user.unsuspended'
          | 'phone.changed'
          | 'phone.verified'
          | 'data.export-requested'
          | 'access.refused';
        /** @description Only entries from this time on. */
        from?: string;
        /** @description How many rows at the most. */
        limit?: components['parameters']['Limit'];
        /** @description Only entries before this time. */
        to?: string;
      };
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          Link: components['headers']['Optional-Link'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "data": [
           *         {
           *           "at": "2035-01-15T09:30:00.000Z",
           *           "actorId": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "apiKeyId": null,
           *           "event": "login.succeeded",
           *           "ip": "203.0.113.7",
           *           "userAgent": "Mozilla/5.0",
           *           "details": {},
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b"
           *         }
           *       ],
           *       "page": {
           *         "limit": 20,
           *         "nextCursor": null,
           *         "hasMore": false
           *       }
           *     }
           */
          'application/json': components['schemas']['AuditListResponseDto'];
        };
      };
      304: components['responses']['NotModified'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  changeEmail: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ChangeEmailDto'];
      };
    };
    responses: {
      /** @description Accepted */
      202: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrStepUpRequiredOrAccountSuspended'];
      409: components['responses']['EmailTaken'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  resendVerification: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Accepted */
      202: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  verifyEmail: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['VerifyEmailDto'];
      };
    };
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBodyOrInvalidToken'];
      401: components['responses']['UnauthenticatedOrInvalidCredentials'];
      409: components['responses']['EmailTaken'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  login: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['LoginDto'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "user": {
           *         "role": "user",
           *         "createdAt": "2035-01-15T09:30:00.000Z",
           *         "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *         "name": "Ada Lovelace",
           *         "email": "ada@example.org",
           *         "emailVerified": false
           *       },
           *       "tokenType": "Bearer",
           *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI2NjVmMWMyZTliMWQ0YTNmOGM3ZTZkNWIifQ.c2lnbmF0dXJl",
           *       "refreshToken": "rT5vQ2mX7pR4tY8wB1nZ6cD5fG0hLsAk3J9",
           *       "expiresIn": 900,
           *       "deviceToken": "dV7pR4tY8wB1nZ6cD5fG0hLsAk3J9vQ2mX"
           *     }
           */
          'application/json': components['schemas']['TokensResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['InvalidCredentialsOrMfaRequired'];
      403: components['responses']['AccountSuspended'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      423: components['responses']['AccountLocked'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  loginMfa: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['LoginMfaDto'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "user": {
           *         "role": "user",
           *         "createdAt": "2035-01-15T09:30:00.000Z",
           *         "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *         "name": "Ada Lovelace",
           *         "email": "ada@example.org",
           *         "emailVerified": false
           *       },
           *       "tokenType": "Bearer",
           *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI2NjVmMWMyZTliMWQ0YTNmOGM3ZTZkNWIifQ.c2lnbmF0dXJl",
           *       "refreshToken": "rT5vQ2mX7pR4tY8wB1nZ6cD5fG0hLsAk3J9",
           *       "expiresIn": 900,
           *       "deviceToken": "dV7pR4tY8wB1nZ6cD5fG0hLsAk3J9vQ2mX"
           *     }
           */
          'application/json': components['schemas']['TokensResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['InvalidCredentials'];
      403: components['responses']['AccountSuspended'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      423: components['responses']['AccountLocked'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  logout: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  logoutAll: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  beginMfa: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: {
      content: {
        'application/json': components['schemas']['StepUpDto'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "qrSvg": "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>",
           *       "secret": "JBSWY3DPEHPK3PXP",
           *       "otpauthUrl": "otpauth://totp/scalable-api:ada@example.org?secret=JBSWY3DPEHPK3PXP&issuer=scalable-api"
           *     }
           */
          'application/json': components['schemas']['TotpSecretResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrEmailUnverifiedOrStepUpRequiredOrAccountSuspended'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  disableMfa: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: {
      content: {
        'application/json': components['schemas']['StepUpDto'];
      };
    };
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrStepUpRequiredOrAccountSuspended'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  confirmMfa: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['CodeDto'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "recoveryCodes": [
           *         "ABCD-EFGH-JKLM-NPQR"
           *       ]
           *     }
           */
          'application/json': components['schemas']['RecoveryCodesResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  changePassword: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ChangePasswordDto'];
      };
    };
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  forgotPassword: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ForgotPasswordDto'];
      };
    };
    responses: {
      /** @description Accepted */
      202: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  resetPassword: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['ResetPasswordDto'];
      };
    };
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBodyOrInvalidToken'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  refresh: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['RefreshDto'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "user": {
           *         "role": "user",
           *         "createdAt": "2035-01-15T09:30:00.000Z",
           *         "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *         "name": "Ada Lovelace",
           *         "email": "ada@example.org",
           *         "emailVerified": false
           *       },
           *       "tokenType": "Bearer",
           *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI2NjVmMWMyZTliMWQ0YTNmOGM3ZTZkNWIifQ.c2lnbmF0dXJl",
           *       "refreshToken": "rT5vQ2mX7pR4tY8wB1nZ6cD5fG0hLsAk3J9",
           *       "expiresIn": 900,
           *       "deviceToken": "dV7pR4tY8wB1nZ6cD5fG0hLsAk3J9vQ2mX"
           *     }
           */
          'application/json': components['schemas']['TokensResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrRefreshTokenReused'];
      403: components['responses']['AccountSuspended'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  register: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['RegisterDto'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "user": {
           *         "role": "user",
           *         "createdAt": "2035-01-15T09:30:00.000Z",
           *         "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *         "name": "Ada Lovelace",
           *         "email": "ada@example.org",
           *         "emailVerified": false
           *       },
           *       "tokenType": "Bearer",
           *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI2NjVmMWMyZTliMWQ0YTNmOGM3ZTZkNWIifQ.c2lnbmF0dXJl",
           *       "refreshToken": "rT5vQ2mX7pR4tY8wB1nZ6cD5fG0hLsAk3J9",
           *       "expiresIn": 900,
           *       "deviceToken": "dV7pR4tY8wB1nZ6cD5fG0hLsAk3J9vQ2mX"
           *     }
           */
          'application/json': components['schemas']['TokensResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      409: components['responses']['EmailTaken'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  listSessions: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "data": [
           *         {
           *           "createdAt": "2035-01-15T09:30:00.000Z",
           *           "lastUsedAt": "2035-01-15T09:30:00.000Z",
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "userAgent": "Mozilla/5.0",
           *           "ip": "203.0.113.7",
           *           "current": true
           *         }
           *       ],
           *       "page": {
           *         "limit": 20,
           *         "nextCursor": null,
           *         "hasMore": false
           *       }
           *     }
           */
          'application/json': components['schemas']['SessionListResponseDto'];
        };
      };
      304: components['responses']['NotModified'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  endSession: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  listNotifications: {
    parameters: {
      query?: {
        /** @description `page.nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor'];
        /** @description How many rows at the most. */
        limit?: components['parameters']['Limit'];
        /** @description Only those that are unread (true) or read (false). */
        unread?: boolean;
      };
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          Link: components['headers']['Optional-Link'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Cache': components['headers']['X-Cache'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "data": [
           *         {
           *           "event": "task.completed",
           *           "data": {
           *             "taskId": "665f1c2e9b1d4a3f8c7e6d5b"
           *           },
           *           "readAt": null,
           *           "createdAt": "2035-01-15T09:30:00.000Z",
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "title": "Task completed",
           *           "body": "“Write the report” is done."
           *         }
           *       ],
           *       "page": {
           *         "limit": 20,
           *         "nextCursor": null,
           *         "hasMore": false
           *       }
           *     }
           */
          'application/json': components['schemas']['NotificationListResponseDto'];
        };
      };
      304: components['responses']['NotModifiedETagXCache'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  deleteNotification: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  markNotification: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['MarkNotificationDto'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "event": "task.completed",
           *       "data": {
           *         "taskId": "665f1c2e9b1d4a3f8c7e6d5b"
           *       },
           *       "readAt": null,
           *       "createdAt": "2035-01-15T09:30:00.000Z",
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *       "title": "Task completed",
           *       "body": "“Write the report” is done."
           *     }
           */
          'application/json': components['schemas']['NotificationResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  listDeliveries: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "data": [
           *         {
           *           "channel": "email",
           *           "state": "delivered",
           *           "lastError": null,
           *           "deliveredAt": "2035-01-15T09:30:00.000Z",
           *           "attempts": 1
           *         }
           *       ],
           *       "page": {
           *         "limit": 20,
           *         "nextCursor": null,
           *         "hasMore": false
           *       }
           *     }
           */
          'application/json': components['schemas']['DeliveryListResponseDto'];
        };
      };
      304: components['responses']['NotModified'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  getPublicKey: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "publicKey": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
           *     }
           */
          'application/json': components['schemas']['VapidKeyResponseDto'];
        };
      };
      304: components['responses']['NotModified'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  subscribe: {
    parameters: {
      query?: never;
      header?: {
        /** @description For 24 hours, the same request with the same key is carried out once and answered alike */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['SubscribeDto'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'Idempotency-Replayed': components['headers']['Optional-Idempotency-Replayed'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b"
           *     }
           */
          'application/json': components['schemas']['PushSubscriptionResponseDto'];
        };
      };
      400: components['responses']['IdempotentValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrEmailUnverifiedOrAccountSuspended'];
      404: components['responses']['IdempotentNotFound'];
      409: components['responses']['RequestInProgress'];
      413: components['responses']['IdempotentPayloadTooLarge'];
      415: components['responses']['IdempotentUnsupportedMediaType'];
      422: components['responses']['IdempotentIdempotencyKeyReused'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  unsubscribe: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  markAllRead: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  countUnread: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Cache': components['headers']['X-Cache'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "count": 3
           *     }
           */
          'application/json': components['schemas']['UnreadCountResponseDto'];
        };
      };
      304: components['responses']['NotModifiedETagXCache'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  listTasks: {
    parameters: {
      query?: {
        /** @description Included: tasks created at this very time are listed. */
        createdAfter?: string;
        /** @description `page.nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor'];
        /** @description Included: tasks due at this very time are listed. */
        dueAfter?: string;
        /** @description Excluded: tasks due at this very time aren't listed. */
        dueBefore?: string;
        /** @description How many rows at the most. */
        limit?: components['parameters']['Limit'];
        /** @description Any of these. */
        priority?: ('low' | 'medium' | 'high' | 'urgent')[];
        /**
         * @description Words of title, description or tags: any of them. Case, accents, width and vowel points are ignored (ß = ss, ø = o, ł = l); scripts
         *     without spaces match from one character on. Other characters are ignored.
         */
        q?: string;
        /**
         * @description A minus sorts from the highest down; tasks without a due date count as due last. `-relevance` goes with `q`: a
         *     word counts most in the title, then in a tag.
         */
        sort?: 'createdAt' | '-createdAt' | 'dueDate' | '-dueDate' | 'priority' | '-priority' | '-relevance';
        /** @description Any of these. */
        status?: ('todo' | 'in_progress' | 'done' | 'archived')[];
        /** @description Any of these. */
        tag?: string[];
      };
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          Link: components['headers']['Optional-Link'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Cache': components['headers']['X-Cache'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "data": [
           *         {
           *           "status": "todo",
           *           "priority": "medium",
           *           "dueDate": "2035-01-31T17:00:00.000Z",
           *           "remindAt": "2035-01-31T09:00:00.000Z",
           *           "completedAt": null,
           *           "createdAt": "2035-01-15T09:30:00.000Z",
           *           "updatedAt": "2035-01-15T09:30:00.000Z",
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "title": "Write the report",
           *           "description": "With the numbers of March.",
           *           "tags": [
           *             "work"
           *           ],
           *           "attachments": [
           *             {
           *               "state": "complete",
           *               "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *               "filename": "Report March.pdf",
           *               "contentType": "application/pdf",
           *               "size": 48213
           *             }
           *           ],
           *           "version": 1
           *         }
           *       ],
           *       "page": {
           *         "limit": 20,
           *         "nextCursor": null,
           *         "hasMore": false
           *       }
           *     }
           */
          'application/json': components['schemas']['TaskListResponseDto'];
        };
      };
      304: components['responses']['NotModifiedETagXCache'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  createTask: {
    parameters: {
      query?: never;
      header?: {
        /** @description For 24 hours, the same request with the same key is carried out once and answered alike */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateTaskDto'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'Idempotency-Replayed': components['headers']['Optional-Idempotency-Replayed'];
          Location: components['headers']['Location'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "status": "todo",
           *       "priority": "medium",
           *       "dueDate": "2035-01-31T17:00:00.000Z",
           *       "remindAt": "2035-01-31T09:00:00.000Z",
           *       "completedAt": null,
           *       "createdAt": "2035-01-15T09:30:00.000Z",
           *       "updatedAt": "2035-01-15T09:30:00.000Z",
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *       "title": "Write the report",
           *       "description": "With the numbers of March.",
           *       "tags": [
           *         "work"
           *       ],
           *       "attachments": [
           *         {
           *           "state": "complete",
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "filename": "Report March.pdf",
           *           "contentType": "application/pdf",
           *           "size": 48213
           *         }
           *       ],
           *       "version": 1
           *     }
           */
          'application/json': components['schemas']['TaskResponseDto'];
        };
      };
      400: components['responses']['IdempotentValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      409: components['responses']['RequestInProgress'];
      413: components['responses']['IdempotentPayloadTooLarge'];
      415: components['responses']['IdempotentUnsupportedMediaType'];
      422: components['responses']['IdempotentIdempotencyKeyReused'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  getTask: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Cache': components['headers']['X-Cache'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "status": "todo",
           *       "priority": "medium",
           *       "dueDate": "2035-01-31T17:00:00.000Z",
           *       "remindAt": "2035-01-31T09:00:00.000Z",
           *       "completedAt": null,
           *       "createdAt": "2035-01-15T09:30:00.000Z",
           *       "updatedAt": "2035-01-15T09:30:00.000Z",
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *       "title": "Write the report",
           *       "description": "With the numbers of March.",
           *       "tags": [
           *         "work"
           *       ],
           *       "attachments": [
           *         {
           *           "state": "complete",
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "filename": "Report March.pdf",
           *           "contentType": "application/pdf",
           *           "size": 48213
           *         }
           *       ],
           *       "version": 1
           *     }
           */
          'application/json': components['schemas']['TaskResponseDto'];
        };
      };
      304: components['responses']['NotModifiedETagXCache'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  deleteTask: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  updateTask: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['UpdateTaskDto'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "status": "todo",
           *       "priority": "medium",
           *       "dueDate": "2035-01-31T17:00:00.000Z",
           *       "remindAt": "2035-01-31T09:00:00.000Z",
           *       "completedAt": null,
           *       "createdAt": "2035-01-15T09:30:00.000Z",
           *       "updatedAt": "2035-01-15T09:30:00.000Z",
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *       "title": "Write the report",
           *       "description": "With the numbers of March.",
           *       "tags": [
           *         "work"
           *       ],
           *       "attachments": [
           *         {
           *           "state": "complete",
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "filename": "Report March.pdf",
           *           "contentType": "application/pdf",
           *           "size": 48213
           *         }
           *       ],
           *       "version": 1
           *     }
           */
          'application/json': components['schemas']['TaskResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  createAttachment: {
    parameters: {
      query?: never;
      header?: {
        /** @description For 24 hours, the same request with the same key is carried out once and answered alike */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateAttachmentDto'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'Idempotency-Replayed': components['headers']['Optional-Idempotency-Replayed'];
          Location: components['headers']['Location'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "uploadUrl": "https://files.example.org/665f1c2e9b1d4a3f8c7e6d5b",
           *       "method": "PUT",
           *       "headers": {
           *         "Content-Type": "application/pdf",
           *         "Content-Length": "48213",
           *         "If-None-Match": "*"
           *       },
           *       "expiresAt": "2035-01-15T09:45:00.000Z",
           *       "attachment": {
           *         "state": "complete",
           *         "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *         "filename": "Report March.pdf",
           *         "contentType": "application/pdf",
           *         "size": 48213
           *       },
           *       "version": 2
           *     }
           */
          'application/json': components['schemas']['AttachmentUploadResponseDto'];
        };
      };
      400: components['responses']['IdempotentValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['IdempotentNotFound'];
      409: components['responses']['LimitReachedOrRequestInProgress'];
      412: components['responses']['IdempotentVersionMismatch'];
      413: components['responses']['IdempotentPayloadTooLarge'];
      415: components['responses']['IdempotentUnsupportedMediaType'];
      422: components['responses']['IdempotentIdempotencyKeyReused'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  getAttachment: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        attachmentId: components['parameters']['AttachmentId'];
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Where the file is */
      302: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          /** @description A presigned URL */
          Location?: string;
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      304: components['responses']['NotModifiedETag'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      409: components['responses']['UploadIncomplete'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  deleteAttachment: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        attachmentId: components['parameters']['AttachmentId'];
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  completeAttachment: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        attachmentId: components['parameters']['AttachmentId'];
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "attachment": {
           *         "state": "complete",
           *         "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *         "filename": "Report March.pdf",
           *         "contentType": "application/pdf",
           *         "size": 48213
           *       },
           *       "version": 2
           *     }
           */
          'application/json': components['schemas']['CompletedAttachmentResponseDto'];
        };
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      409: components['responses']['UploadIncomplete'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  getTaskHistory: {
    parameters: {
      query?: {
        /** @description `page.nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor'];
        /** @description How many rows at the most. */
        limit?: components['parameters']['Limit'];
      };
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          Link: components['headers']['Optional-Link'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "data": [
           *         {
           *           "at": "2035-01-15T09:30:00.000Z",
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "actorId": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "changes": [
           *             {
           *               "from": "todo",
           *               "to": "done",
           *               "field": "status"
           *             }
           *           ]
           *         }
           *       ],
           *       "page": {
           *         "limit": 20,
           *         "nextCursor": null,
           *         "hasMore": false
           *       }
           *     }
           */
          'application/json': components['schemas']['TaskHistoryResponseDto'];
        };
      };
      304: components['responses']['NotModifiedETag'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  restoreTask: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "status": "todo",
           *       "priority": "medium",
           *       "dueDate": "2035-01-31T17:00:00.000Z",
           *       "remindAt": "2035-01-31T09:00:00.000Z",
           *       "completedAt": null,
           *       "createdAt": "2035-01-15T09:30:00.000Z",
           *       "updatedAt": "2035-01-15T09:30:00.000Z",
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *       "title": "Write the report",
           *       "description": "With the numbers of March.",
           *       "tags": [
           *         "work"
           *       ],
           *       "attachments": [
           *         {
           *           "state": "complete",
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "filename": "Report March.pdf",
           *           "contentType": "application/pdf",
           *           "size": 48213
           *         }
           *       ],
           *       "version": 1
           *     }
           */
          'application/json': components['schemas']['TaskResponseDto'];
        };
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  changeTasks: {
    parameters: {
      query?: never;
      header?: {
        /** @description For 24 hours, the same request with the same key is carried out once and answered alike */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['BulkTasksDto'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'Idempotency-Replayed': components['headers']['Optional-Idempotency-Replayed'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "results": [
           *         {
           *           "status": 201,
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['BulkTasksResponseDto'];
        };
      };
      400: components['responses']['IdempotentValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      409: components['responses']['RequestInProgress'];
      413: components['responses']['IdempotentPayloadTooLarge'];
      415: components['responses']['IdempotentUnsupportedMediaType'];
      422: components['responses']['IdempotentIdempotencyKeyReused'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  getTaskStats: {
    parameters: {
      query?: {
        /** @description IANA name, such as Europe/Vienna; the user's own where it is left out. */
        timezone?: string;
      };
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Cache': components['headers']['X-Cache'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "total": 16,
           *       "byStatus": {
           *         "todo": 3,
           *         "in_progress": 1,
           *         "done": 12,
           *         "archived": 0
           *       },
           *       "byPriority": {
           *         "low": 2,
           *         "medium": 10,
           *         "high": 3,
           *         "urgent": 1
           *       },
           *       "overdue": 1,
           *       "dueToday": 2,
           *       "completedPerDay": [
           *         {
           *           "date": "2035-01-31",
           *           "count": 2
           *         }
           *       ],
           *       "averageHoursToComplete": 26.5
           *     }
           */
          'application/json': components['schemas']['TaskStatsResponseDto'];
        };
      };
      304: components['responses']['NotModifiedETagXCache'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  listUsers: {
    parameters: {
      query?: {
        /** @description `page.nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor'];
        /** @description How many rows at the most. */
        limit?: components['parameters']['Limit'];
        /** @description Only users whose email address or name begins with this. */
        q?: string;
        /** @description Only users with this role. */
        role?: 'user' | 'manager' | 'admin';
        /** @description A minus sorts downwards: from the latest, or from Z. */
        sort?: 'createdAt' | '-createdAt' | 'email' | '-email';
      };
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          Link: components['headers']['Optional-Link'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "data": [
           *         {
           *           "role": "user",
           *           "phone": "+436601234567",
           *           "avatarUrl": null,
           *           "createdAt": "2035-01-15T09:30:00.000Z",
           *           "updatedAt": "2035-01-15T09:30:00.000Z",
           *           "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *           "name": "Ada Lovelace",
           *           "email": "ada@example.org",
           *           "emailVerified": true,
           *           "locale": "de-AT",
           *           "timezone": "Europe/Vienna"
           *         }
           *       ],
           *       "page": {
           *         "limit": 20,
           *         "nextCursor": null,
           *         "hasMore": false
           *       }
           *     }
           */
          'application/json': components['schemas']['UserListResponseDto'];
        };
      };
      304: components['responses']['NotModified'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  getUser: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "role": "user",
           *       "phone": "+436601234567",
           *       "avatarUrl": null,
           *       "createdAt": "2035-01-15T09:30:00.000Z",
           *       "updatedAt": "2035-01-15T09:30:00.000Z",
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *       "name": "Ada Lovelace",
           *       "email": "ada@example.org",
           *       "emailVerified": true,
           *       "locale": "de-AT",
           *       "timezone": "Europe/Vienna"
           *     }
           */
          'application/json': components['schemas']['UserDetailsResponseDto'];
        };
      };
      304: components['responses']['NotModifiedETag'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  deleteUser: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: {
      content: {
        'application/json': components['schemas']['StepUpDto'];
      };
    };
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrStepUpRequiredOrAccountSuspended'];
      404: components['responses']['NotFound'];
      409: components['responses']['OwnAccountOrLastAdmin'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  updateUser: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['UpdateUserDto'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "role": "user",
           *       "phone": "+436601234567",
           *       "avatarUrl": null,
           *       "createdAt": "2035-01-15T09:30:00.000Z",
           *       "updatedAt": "2035-01-15T09:30:00.000Z",
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *       "name": "Ada Lovelace",
           *       "email": "ada@example.org",
           *       "emailVerified": true,
           *       "locale": "de-AT",
           *       "timezone": "Europe/Vienna"
           *     }
           */
          'application/json': components['schemas']['UserResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  getAvatar: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description The last part of `avatarUrl`. */
        avatarId: string;
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Where the picture is */
      302: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          /** @description A presigned URL */
          Location?: string;
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      404: components['responses']['NotFound'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  removeUserMfa: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: {
      content: {
        'application/json': components['schemas']['StepUpDto'];
      };
    };
    responses: {
      /** @description Accepted */
      202: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrStepUpRequiredOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  setUserRole: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['SetRoleDto'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "role": "user",
           *       "phone": "+436601234567",
           *       "avatarUrl": null,
           *       "createdAt": "2035-01-15T09:30:00.000Z",
           *       "updatedAt": "2035-01-15T09:30:00.000Z",
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *       "name": "Ada Lovelace",
           *       "email": "ada@example.org",
           *       "emailVerified": true,
           *       "locale": "de-AT",
           *       "timezone": "Europe/Vienna"
           *     }
           */
          'application/json': components['schemas']['UserResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrStepUpRequiredOrAccountSuspended'];
      404: components['responses']['NotFound'];
      409: components['responses']['OwnAccountOrLastAdmin'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  endUserSessions: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Accepted */
      202: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  suspendUser: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: {
      content: {
        'application/json': components['schemas']['SuspendUserDto'];
      };
    };
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrStepUpRequiredOrAccountSuspended'];
      404: components['responses']['NotFound'];
      409: components['responses']['OwnAccountOrLastAdmin'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  unsuspendUser: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path: {
        /**
         * @description An id; a malformed one is answered like an unknown one, 404
         * @example 665f1c2e9b1d4a3f8c7e6d5b
         */
        id: components['parameters']['Id'];
      };
      cookie?: never;
    };
    requestBody?: {
      content: {
        'application/json': components['schemas']['UnsuspendUserDto'];
      };
    };
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      404: components['responses']['NotFound'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  getMe: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "role": "user",
           *       "phone": "+436601234567",
           *       "avatarUrl": null,
           *       "createdAt": "2035-01-15T09:30:00.000Z",
           *       "updatedAt": "2035-01-15T09:30:00.000Z",
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *       "name": "Ada Lovelace",
           *       "email": "ada@example.org",
           *       "emailVerified": true,
           *       "locale": "de-AT",
           *       "timezone": "Europe/Vienna"
           *     }
           */
          'application/json': components['schemas']['UserResponseDto'];
        };
      };
      304: components['responses']['NotModifiedETag'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  deleteMe: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: {
      content: {
        'application/json': components['schemas']['StepUpDto'];
      };
    };
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrStepUpRequiredOrAccountSuspended'];
      409: components['responses']['LastAdmin'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  updateMe: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['UpdateUserDto'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "role": "user",
           *       "phone": "+436601234567",
           *       "avatarUrl": null,
           *       "createdAt": "2035-01-15T09:30:00.000Z",
           *       "updatedAt": "2035-01-15T09:30:00.000Z",
           *       "id": "665f1c2e9b1d4a3f8c7e6d5b",
           *       "name": "Ada Lovelace",
           *       "email": "ada@example.org",
           *       "emailVerified": true,
           *       "locale": "de-AT",
           *       "timezone": "Europe/Vienna"
           *     }
           */
          'application/json': components['schemas']['UserResponseDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  createAvatar: {
    parameters: {
      query?: never;
      header?: {
        /** @description For 24 hours, the same request with the same key is carried out once and answered alike */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateAvatarDto'];
      };
    };
    responses: {
      /** @description Created */
      201: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'Idempotency-Replayed': components['headers']['Optional-Idempotency-Replayed'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "uploadUrl": "https://files.example.org/665f1c2e9b1d4a3f8c7e6d5b",
           *       "method": "PUT",
           *       "headers": {
           *         "Content-Type": "application/pdf",
           *         "Content-Length": "48213",
           *         "If-None-Match": "*"
           *       },
           *       "expiresAt": "2035-01-15T09:45:00.000Z"
           *     }
           */
          'application/json': components['schemas']['UploadResponseDto'];
        };
      };
      400: components['responses']['IdempotentValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      409: components['responses']['LimitReachedOrRequestInProgress'];
      412: components['responses']['IdempotentVersionMismatch'];
      413: components['responses']['IdempotentPayloadTooLarge'];
      415: components['responses']['IdempotentUnsupportedMediaType'];
      422: components['responses']['IdempotentIdempotencyKeyReused'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  completeAvatar: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "avatarUrl": "https://api.example.org/api/v1/users/665f1c2e9b1d4a3f8c7e6d5b/avatar/0f9c2b7e4d1a8c35"
           *     }
           */
          'application/json': components['schemas']['AvatarResponseDto'];
        };
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      409: components['responses']['UploadIncomplete'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  exportMe: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "exportedAt": "2035-01-15T09:30:00.000Z",
           *       "data": {
           *         "users": {},
           *         "tasks": {}
           *       }
           *     }
           */
          'application/json': components['schemas']['PersonalDataResponseDto'];
        };
      };
      304: components['responses']['NotModified'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  sendCode: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Accepted */
      202: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrEmailUnverifiedOrAccountSuspended'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  verifyPhone: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['PhoneCodeDto'];
      };
    };
    responses: {
      /** @description Done; no body */
      204: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpiredOrInvalidCredentials'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  getPreferences: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "mutedEvents": [
           *         "task.completed"
           *       ],
           *       "quietHours": {
           *         "start": "22:00",
           *         "end": "07:00"
           *       },
           *       "digest": "daily",
           *       "channels": {
           *         "email": true,
           *         "push": true,
           *         "sms": false
           *       }
           *     }
           */
          'application/json': components['schemas']['PreferencesDto'];
        };
      };
      304: components['responses']['NotModifiedETag'];
      400: components['responses']['ValidationFailed'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  replacePreferences: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['PreferencesDto'];
      };
    };
    responses: {
      /** @description Done */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          ETag: components['headers']['ETag'];
          'RateLimit-Limit': components['headers']['RateLimit-Limit'];
          'RateLimit-Remaining': components['headers']['RateLimit-Remaining'];
          'RateLimit-Reset': components['headers']['RateLimit-Reset'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "mutedEvents": [
           *         "task.completed"
           *       ],
           *       "quietHours": {
           *         "start": "22:00",
           *         "end": "07:00"
           *       },
           *       "digest": "daily",
           *       "channels": {
           *         "email": true,
           *         "push": true,
           *         "sms": false
           *       }
           *     }
           */
          'application/json': components['schemas']['PreferencesDto'];
        };
      };
      400: components['responses']['ValidationFailedOrMalformedBody'];
      401: components['responses']['UnauthenticatedOrTokenExpired'];
      403: components['responses']['ForbiddenOrAccountSuspended'];
      412: components['responses']['VersionMismatch'];
      413: components['responses']['PayloadTooLarge'];
      415: components['responses']['UnsupportedMediaType'];
      429: components['responses']['RateLimited'];
      500: components['responses']['Internal'];
      503: components['responses']['DependencyUnavailableOrOverloaded'];
    };
  };
  getHealth: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description MongoDB answers and has space */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "info": {
           *         "mongodb": {
           *           "status": "up"
           *         },
           *         "redis": {
           *           "status": "up"
           *         },
           *         "storage": {
           *           "status": "up"
           *         },
           *         "clock": {
           *           "status": "up"
           *         }
           *       },
           *       "error": {
           *         "mongodb": {
           *           "status": "up"
           *         },
           *         "redis": {
           *           "status": "up"
           *         },
           *         "storage": {
           *           "status": "up"
           *         },
           *         "clock": {
           *           "status": "up"
           *         }
           *       },
           *       "details": {
           *         "mongodb": {
           *           "status": "up"
           *         },
           *         "redis": {
           *           "status": "up"
           *         },
           *         "storage": {
           *           "status": "up"
           *         },
           *         "clock": {
           *           "status": "up"
           *         }
           *       },
           *       "status": "ok",
           *       "version": "1.0.0",
           *       "uptime": 86400,
           *       "memory": {
           *         "rss": 157286400,
           *         "heapUsed": 73400320
           *       },
           *       "cpu": {
           *         "user": 41.5,
           *         "system": 6.25
           *       }
           *     }
           */
          'application/json': components['schemas']['HealthResponseDto'];
        };
      };
      304: components['responses']['UnlimitedNotModified'];
      400: components['responses']['UnlimitedValidationFailed'];
      412: components['responses']['UnlimitedVersionMismatch'];
      /** @description MongoDB doesn't answer, or its disk is full */
      503: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['HealthResponseDto'];
        };
      };
    };
  };
  getLiveness: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description It can */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "status": "ok",
           *       "warning": "\"the clock of this machine is 12.4 s ahead of MongoDB\"s\""
           *     }
           */
          'application/json': components['schemas']['ProbeResponseDto'];
        };
      };
      304: components['responses']['UnlimitedNotModified'];
      400: components['responses']['UnlimitedValidationFailed'];
      412: components['responses']['UnlimitedVersionMismatch'];
    };
  };
  getReadiness: {
    parameters: {
      query?: never;
      header?: {
        /** @description Answered 412 unless it names the current `ETag`, or is `*` */
        'If-Match'?: components['parameters']['IfMatch'];
        /** @description Where it names the current `ETag`, or is `*`, a read is answered 304, and a write 412 */
        'If-None-Match'?: components['parameters']['IfNoneMatch'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description They should */
      200: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "status": "ok",
           *       "warning": "\"the clock of this machine is 12.4 s ahead of MongoDB\"s\""
           *     }
           */
          'application/json': components['schemas']['ProbeResponseDto'];
        };
      };
      304: components['responses']['UnlimitedNotModified'];
      400: components['responses']['UnlimitedValidationFailed'];
      412: components['responses']['UnlimitedVersionMismatch'];
      /** @description Shutting down, no database, or one that lacks a migration or an index */
      503: {
        headers: {
          'Cache-Control': components['headers']['Cache-Control'];
          'X-Request-Id': components['headers']['X-Request-Id'];
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ProbeResponseDto'];
        };
      };
    };
  };
}
