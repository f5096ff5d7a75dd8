// Generated from api/openapi.yaml by `npm run generate`: do not edit.
export interface paths {
    "/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create an account and sign in
         * @description The welcome email follows in the background. Without a `language`, the request's Accept-Language chooses one.
         *     A repeat with the same key signs in to the account that the first request created: with another password it is a
         *     401, and a 403 while that account is suspended.
         */
        post: operations["register"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in
         * @description The answer has an access token for 15 minutes, and a refresh token for the next pair. Wrong credentials are a
         *     401 with the code `bad_credentials`, whether or not there is such an account.
         */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange a refresh token for new tokens
         * @description The former refresh token works for 30 seconds more, each time for another pair; it gets a 429 when it was
         *     exchanged too often. If it is used after the 30 seconds, the sign-in ends, since the token may be stolen.
         */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out
         * @description Always succeeds for a well-formed token, known or not.
         */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/verify-email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm an email address
         * @description The address that the email went to becomes the account's address. Confirming it again is a success.
         */
        post: operations["verifyEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/password-reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Request a password reset email
         * @description Sends a link that sets a new password, if the address belongs to an account. The answer is the same if it does
         *     not.
         */
        post: operations["requestPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/password-reset/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set a new password with a reset token
         * @description A token works once, and for 30 minutes. A newer token, and any change of the password, makes it void. An email
         *     to the account's address reports the change.
         */
        post: operations["confirmPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get your account
         * @description Also shows data that only the owner sees, such as the email address and whether it is confirmed.
         */
        get: operations["getMe"];
        put?: never;
        post?: never;
        /**
         * Delete your account
         * @description Deletes the caller's names, email address and sign-ins at once, and files in the background. Messages stay,
         *     without an author. Rooms that the caller hosts pass to another host, as if the host had left, or are archived. A
         *     wrong password is a 403 `wrong_password`. The last admin's account is a 409 `last_admin`.
         */
        delete: operations["deleteMe"];
        options?: never;
        head?: never;
        /**
         * Update your profile
         * @description Changes the properties that are sent, and leaves the others as they are.
         */
        patch: operations["updateMe"];
        trace?: never;
    };
    "/users/me/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export your data
         * @description Everything that is stored about the account: what it entered, what it did, and what was done to it. The export
         *     does not have the names of other people, their messages, secrets, or the internal counters of the service.
         */
        get: operations["exportMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change your password
         * @description Ends the account's other sign-ins. An email to the account's address reports the change.
         */
        put: operations["changePassword"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change your email address
         * @description Sends a link to the new address. The address changes when the link is confirmed. Until then the former one
         *     stays in force.
         */
        put: operations["changeEmail"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me/email/verification": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resend the verification email
         * @description Sends the link that confirms the address of the account once more.
         */
        post: operations["resendVerification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List your sign-ins, newest first
         * @description A sign-in is a device or browser that has signed in and has not signed out. The one that makes the request is
         *     marked as `current`.
         */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        /**
         * End all your other sign-ins
         * @description Ends all sign-ins of the account but the one that makes the request. Their access tokens end with them.
         */
        delete: operations["endOtherSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me/sessions/{session_id}": {
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
         * End one of your sign-ins
         * @description Ends one sign-in. Its access tokens end with it.
         */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me/rooms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List your rooms, newest first
         * @description The rooms that the caller is in or has a role in, archived rooms included.
         */
        get: operations["listMyRooms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me/parties": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the scheduled parties of your rooms, soonest first
         * @description The parties of rooms that the caller is in or has a role in, and parties that the caller answered.
         */
        get: operations["listMyParties"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List your open invitations, newest first
         * @description The invitations that went to the account's confirmed address and that the caller can accept. An account whose
         *     address is not confirmed has none. An invitation leaves the list when its inviter may not invite to the room any
         *     more, while the caller is banned from the room, and when an admin closes the room.
         */
        get: operations["listMyInvitations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me/invitations/{invitation_id}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept one of your invitations and join its room
         * @description Needs no token, since the invitation went to the account's confirmed address. Otherwise the rules of `POST
         *     /invitations/accept` apply. An invitation to another address, or one that is not open any more, is a 404.
         *     Accepting again joins the room again.
         */
        post: operations["acceptMyInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me/invitations/{invitation_id}/decline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Decline one of your invitations
         * @description Needs no token, since the invitation went to the account's confirmed address. An invitation to another address,
         *     or one that has ended otherwise, is a 404. Declining again is a success.
         */
        post: operations["declineMyInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/me/avatar": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the state of your newest avatar upload
         * @description Says whether the newest upload is still processed, is ready, or has failed and why.
         */
        get: operations["getAvatar"];
        /**
         * Upload your avatar
         * @description Takes a JPEG, PNG, WebP or GIF of at most 5 MiB and 50 megapixels (by default). In the background it is turned
         *     upright, cropped to the square that draws most attention, converted to sRGB, and stripped of all metadata; `GET
         *     /users/me/avatar` has its progress. The former avatar stays until the new one is ready. A newer upload replaces
         *     the ones that are not rendered yet; if the newer one is refused then, the former avatar stays, too. An account
         *     can have three uploads in progress at a time (429 above that), and each has to arrive at 16 KiB a second or
         *     faster, on average, after the first ten seconds.
         */
        put: operations["putAvatar"];
        post?: never;
        /**
         * Delete your avatar
         * @description The default avatar takes its place.
         */
        delete: operations["deleteAvatar"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List profiles by username
         * @description Gets, for example, the profiles of all people in a chat. Usernames that do not exist are left out.
         */
        get: operations["listProfiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{username}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a profile
         * @description The public data of an account: its names and its avatar.
         */
        get: operations["getProfile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/avatars/{user_id}/{version}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a rendered avatar
         * @description The picture at an address never changes. Profiles have these addresses.
         */
        get: operations["getAvatarFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/avatars/{user_id}/{default_name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a generated avatar
         * @description A pattern that is made from the ID alone. It is always the same, whether or not the account exists. Profiles
         *     have this address.
         */
        get: operations["getDefaultAvatar"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/movies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List movies
         * @description With `ids` the list has these movies, archived ones included, on one page. An ID that no movie has is left out.
         *     `ids` together with another parameter is a 400.
         */
        get: operations["listMovies"];
        put?: never;
        /**
         * Add a movie
         * @description For admins. A movie with the title and year of another one is a 409 `movie_exists`.
         */
        post: operations["createMovie"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/movies/genres": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List genres
         * @description The genres of the movies in the catalogue, those of the most movies first, and at most 500. Spellings that `GET
         *     /movies?genre=` takes for one genre are one here, too, in the spelling of most movies.
         */
        get: operations["listGenres"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/movies/{movie_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a movie
         * @description One movie of the catalogue. Archived movies can be read, too.
         */
        get: operations["getMovie"];
        put?: never;
        post?: never;
        /**
         * Delete a movie
         * @description For admins. A movie that rooms use, also for a scheduled party, cannot be deleted: that is a 409 `movie_in_use`,
         *     with the number of rooms in `details.rooms`. Archive it instead.
         */
        delete: operations["deleteMovie"];
        options?: never;
        head?: never;
        /**
         * Update a movie
         * @description For admins. Changes the properties that are sent. An archived movie is not in the catalogue; rooms that have it
         *     keep it. Rooms that play the movie, or have it in their queue, take the change at once, and keep their place:
         *     see the state of live rooms.
         */
        patch: operations["updateMovie"];
        trace?: never;
    };
    "/rooms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List open public rooms
         * @description Unlisted and private rooms are not in the list. With `q` it is a search.
         */
        get: operations["listRooms"];
        put?: never;
        /**
         * Open a room
         * @description The caller is its host and the first person in it. The other properties begin as follows, and `updateRoom`
         *     changes them: `control` `moderators`, `queue` `everyone`, `queue_order` `manual`, `wait_policy` `auto`,
         *     `now_playing` false, and no slow mode.
         */
        post: operations["createRoom"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a room
         * @description The answer is the same for everyone who can see the room. `GET /rooms/{room_id}/me` says what the caller may do
         *     in it.
         */
        get: operations["getRoom"];
        put?: never;
        post?: never;
        /**
         * Delete a room
         * @description For its host.
         */
        delete: operations["deleteRoom"];
        options?: never;
        head?: never;
        /**
         * Update a room
         * @description For its host. Changes the properties that are sent. People who are in a room that becomes private stay members
         *     of it. An archived room can be read, and nothing new happens in it; `open` reopens it, unless an admin closed
         *     it: that is a 409 `room_closed`.
         */
        patch: operations["updateRoom"];
        trace?: never;
    };
    "/rooms/{room_id}/join": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Join a room
         * @description Joining a room again is a success. A full or archived room is a 409, and a banned user gets a 403. A private
         *     room lets in its host and its members: people who accepted an invitation, and people who were in it when it
         *     became private.
         */
        post: operations["joinRoom"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/leave": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Leave a room
         * @description Leaving a room that the caller is not in is a success. When the host leaves, the role passes to the person who
         *     has been in the room longest: to a present moderator, else to another present person, else to an absent one in
         *     the same order. The former host stays a moderator. The room keeps its host if nobody else is in it, or if it is
         *     archived.
         */
        post: operations["leaveRoom"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/heartbeat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a heartbeat
         * @description Send it every 30 seconds. A person who was not seen for 90 seconds is not `present`. Posting a message counts as
         *     a heartbeat. When the host has not been seen for 10 minutes (by default), the role passes to a person who is
         *     present, as when the host leaves.
         */
        post: operations["sendHeartbeat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Mark the messages of a room as read
         * @description Marks the messages up to the given one. `GET /users/me/rooms` counts what others post after it as unread. The
         *     marker never moves back: an older message than the marked one changes nothing. People who are neither in the
         *     room nor have a role in it get a 403 `not_participant`. A message that the room does not have is a 400
         *     `unknown_message`. Works in archived rooms, too.
         */
        put: operations["markRead"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get your role and permissions in a room
         * @description While a mute lasts, `post_message` is not among the permissions. A banned caller gets a 403 with the code
         *     `banned`. The permissions do not depend on whether the room is archived: read its `state`.
         */
        get: operations["getMyStanding"];
        put?: never;
        post?: never;
        /**
         * Give up your membership of a room
         * @description Leaves the room, and gives up the caller's role and membership. It succeeds also for a caller who has none of
         *     these. The host's role passes on as when the host leaves, but in an archived room, too: the caller can then
         *     neither reopen nor delete it. A host with nobody else in the room gets a 409 `no_next_host`: delete the room, or
         *     archive it.
         */
        delete: operations["quitRoom"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/participants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List participants
         * @description Everyone who is in the room, in the order in which they joined. The list has one page, since the room's capacity
         *     limits it.
         */
        get: operations["listParticipants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/participants/{username}": {
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
         * Kick a participant
         * @description Removes a person from the room, together with their role and membership. Hosts and moderators can kick people of
         *     lower roles; kicking oneself is a 403 `forbidden`. A person who neither is in the room nor has a role in it is a
         *     404. The person can join again, unless the room is private.
         */
        delete: operations["kickParticipant"];
        options?: never;
        head?: never;
        /**
         * Set a participant's role
         * @description For the host. Sets the role of a person who is in the room or has a role in it. `host` hands the room over to a
         *     person who is in it, and makes the caller a moderator. Setting one's own role is a 409 `own_role`. A person who
         *     neither is in the room nor has a role in it is a 404. With `host`, so is a person who is not in the room. For a
         *     person who is not in the room, `joined_at` and `last_seen_at` say since when they have had the role.
         */
        patch: operations["setParticipantRole"];
        trace?: never;
    };
    "/rooms/{room_id}/bans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List bans, newest first
         * @description For the host and moderators.
         */
        get: operations["listBans"];
        put?: never;
        /**
         * Ban a person from a room
         * @description Hosts and moderators can ban people of lower roles, whether or not they are in the room; banning oneself is a
         *     403 `forbidden`. A ban removes the person from the room and keeps them out until it ends or is lifted. A second
         *     ban of a person replaces the first.
         */
        post: operations["banUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/bans/{username}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a ban
         * @description For the host and moderators. A ban that has ended is a 404.
         */
        get: operations["getBan"];
        put?: never;
        post?: never;
        /**
         * Lift a ban
         * @description For the host and moderators.
         */
        delete: operations["liftBan"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/mutes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List mutes, newest first
         * @description For the host and moderators.
         */
        get: operations["listMutes"];
        put?: never;
        /**
         * Mute a person in a room
         * @description Hosts and moderators can mute people of lower roles, whether or not they are in the room, for at most 30 days;
         *     muting oneself is a 403 `forbidden`. A mute lasts when the person leaves and joins again. A second mute of a
         *     person replaces the first.
         */
        post: operations["muteUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/mutes/{username}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a mute
         * @description For the host and moderators. A mute that has ended is a 404.
         */
        get: operations["getMute"];
        put?: never;
        post?: never;
        /**
         * Lift a mute
         * @description For the host and moderators.
         */
        delete: operations["liftMute"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the moderation log of a room, newest first
         * @description For the host.
         */
        get: operations["listRoomLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/now-playing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the public view of a room's playback
         * @description Other pages can show it: the operation needs no sign-in and works from any origin. The host has to allow it
         *     (`now_playing`). A room that does not allow it, a private room and an archived room are a 404. While playing,
         *     the position is `position_ms` plus the time since `at` times `rate`.
         */
        get: operations["getNowPlaying"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/playback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the playback state of a room
         * @description A state is an anchor: from the instant `at` on, the room plays from `position_ms` at the rate `rate`. `now` is
         *     the time of the same clock when the state was read. The answer is never cached.
         */
        get: operations["getPlayback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/playback/commands": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Control playback
         * @description The room's `control` says who can send commands, while they are in the room. Commands are absolute. Each has an
         *     ID that the client creates: a command that is sent again with the same ID is applied only once, and the answer
         *     has the `revision` of the first time. A command names the `epoch` of the state that the person saw; if another
         *     item has been loaded since, it is a 409 `playback_stale`. A command with a `revision` is the same 409 if it is
         *     repeated so late that the room does not remember its ID. If nothing is loaded, `play` loads the first item of
         *     the queue, or else the room's movie. `load` names an item of the queue, a movie, or, for the host and
         *     moderators, an https address, which the service never fetches. An item that is loaded leaves the queue. `pause`
         *     can have the position that the person saw: the room pauses there if it is within a second of the computed
         *     position, and otherwise at the computed one. A `seek` beyond the end goes to the end. What a command does while
         *     the room waits, and for whom it waits, is in the contract of live connections.
         *
         *     Of several refusals the answer is the first of these: the 404 of a room that does not exist, `banned`, the 404
         *     of a private room, `room_archived` or `room_closed`, `not_participant`, `forbidden` without the permission of
         *     the operation, `muted`. After these come refusals of what the request names: a movie, an item, or an address
         *     that the person may not load. The operations of the queue do the same.
         */
        post: operations["sendPlaybackCommand"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/playback/skip-vote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Vote to skip the current item
         * @description The item is skipped when half of the people who are present have voted for it. A vote is for the item of an
         *     `epoch`. With `skip` false, the caller takes the vote back.
         */
        put: operations["voteToSkip"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the queue of a room
         * @description The room's `queue_order` decides the order: as people have arranged the items, or the most votes first. A queue
         *     has at most 200 items. An item whose movie has lost its stream is left out until the movie has one again.
         */
        get: operations["getRoomQueue"];
        put?: never;
        /**
         * Add an item to the queue
         * @description The room's `queue` says who can add items, while they are in the room. The host and moderators can add an https
         *     address, which the service never fetches; others can add movies. A person can have at most 20 items in a queue.
         */
        post: operations["addToQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/queue/{item_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an item of the queue
         * @description An item that is not in the queue any more is a 404. So is the one that plays.
         */
        get: operations["getQueueItem"];
        put?: never;
        post?: never;
        /**
         * Remove an item from the queue
         * @description People who can add items can remove their own; the host and moderators can remove all items. The item that plays
         *     is not in the queue any more; removing it skips it.
         */
        delete: operations["removeFromQueue"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/queue/{item_id}/place": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Move an item of the queue
         * @description For the host and moderators. If the queue is ordered by votes, the move has no effect until the room's order is
         *     manual again.
         */
        put: operations["moveInQueue"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/queue/{item_id}/vote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Vote for an item of the queue
         * @description A second vote for the same item changes nothing. The item that plays is a 404.
         */
        put: operations["voteForItem"];
        post?: never;
        /**
         * Take back a vote for an item of the queue
         * @description Without a vote nothing changes.
         */
        delete: operations["withdrawVote"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/parties": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the scheduled parties of a room, soonest first
         * @description There are 20 at most, so that `next_cursor` is always null.
         */
        get: operations["listParties"];
        put?: never;
        /**
         * Schedule a party
         * @description For the host and moderators. People who answer `yes` or `maybe` get an email a day and an hour before the start.
         *     The room loads the movie 5 minutes before the start, and playback starts by itself.
         *     A room has 20 scheduled parties at most, and 30 minutes lie between their starts.
         */
        post: operations["scheduleParty"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/parties/{party_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a party
         * @description For everyone who can see the room of the party. A party that has started, was cancelled or was missed can be
         *     read until clean-up removes it.
         */
        get: operations["getParty"];
        put?: never;
        post?: never;
        /**
         * Cancel a scheduled party
         * @description For the host and moderators. Guests who answered yes or maybe get an email.
         */
        delete: operations["cancelParty"];
        options?: never;
        head?: never;
        /**
         * Change a scheduled party
         * @description For the host and moderators. Changes the properties that are sent. When the start is moved, the guests who
         *     answered `yes` or `maybe` get an email a minute later, and are reminded again.
         */
        patch: operations["updateParty"];
        trace?: never;
    };
    "/parties/{party_id}/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Answer a party
         * @description For everyone who can see the room of the party, until the party starts. A party has at most 1,000 answers. The
         *     answer of a person is removed when the person is kicked or banned, gives up the membership, or is not in the
         *     room when it becomes private. `no` ends the emails about the party.
         */
        put: operations["answerParty"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/parties/{party_id}/answers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the answers to a party
         * @description For everyone who can see the room of the party. The order is that of the first answers.
         */
        get: operations["listPartyAnswers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/parties/{party_id}/calendar": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a party as an iCalendar file
         * @description An iCalendar file (RFC 5545) with one event. The UID of the event stays the same, and its SEQUENCE rises with
         *     each change: a calendar that reads the file again moves or cancels the event.
         */
        get: operations["getPartyCalendar"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rooms/{room_id}/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the invitations to a room, newest first
         * @description For the host and moderators.
         */
        get: operations["listInvitations"];
        put?: never;
        /**
         * Invite a person by email
         * @description Hosts and moderators with a confirmed email address can invite; without one it is a 403 `email_unverified`. An
         *     invitation is open for 7 days. Inviting an address that has an open invitation to the room answers with that
         *     invitation.
         */
        post: operations["createInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/{invitation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an invitation to a room
         * @description For the room's host and moderators.
         */
        get: operations["getInvitation"];
        put?: never;
        post?: never;
        /**
         * Revoke an open invitation
         * @description For the room's host and moderators.
         */
        delete: operations["revokeInvitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/lookup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get an invitation by its token
         * @description Needs the token of the invitation's email, but no account. An invitation that is not open any more, or whose
         *     inviter may not invite to the room any more, is a 400 `bad_token`.
         */
        post: operations["lookUpInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept an invitation and join its room
         * @description The token is in the invitation's email. It works once, for whoever has it, but not for a banned user. A room
         *     that is full, archived or closed is a 409; the invitation stays open. The inviter must still be allowed to
         *     invite to the room: whatever ends that right (a kick, a ban, another role, a suspension, a deletion) revokes the
         *     invitation.
         */
        post: operations["acceptInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/decline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Decline an invitation
         * @description The invitation ends. Its inviter sees that it was declined.
         */
        post: operations["declineInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/unsubscribe": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Unsubscribe from invitation emails
         * @description The token is in the link at the end of every invitation's email. It identifies the invitation's address, which
         *     gets no more invitations or reminders from then on. People who invite the address are not told.
         */
        post: operations["unsubscribeFromInvitations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/resubscribe": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Subscribe to invitation emails again
         * @description Undoes the unsubscription that was made with the same token.
         */
        post: operations["resubscribeToInvitations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/chat/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List messages
         * @description One page of the messages of a room, in either direction, or of those that have changed. Deleted messages stay,
         *     with an empty body. Only one of `before`, `after` and `updated_after` may be given.
         */
        get: operations["listMessages"];
        put?: never;
        /**
         * Post a message
         * @description A muted person gets a 403 `muted`. In slow mode, a message that comes too soon is a 429 `slow_mode` with
         *     `Retry-After`.
         */
        post: operations["postMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/chat/messages/{message_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a message
         * @description A deleted message is a 404.
         */
        get: operations["getMessage"];
        put?: never;
        post?: never;
        /**
         * Delete a message
         * @description Authors can delete their messages. Hosts and moderators can delete messages of people of lower roles. The text
         *     is deleted; the list keeps an empty message in its place.
         */
        delete: operations["deleteMessage"];
        options?: never;
        head?: never;
        /**
         * Edit a message
         * @description Authors can edit their messages for 15 minutes. An edit that changes nothing does not count as one.
         */
        patch: operations["editMessage"];
        trace?: never;
    };
    "/abuse-reports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report a room, a message or an account
         * @description Takes exactly one of `room_id`, `message_id` and `username`. What the caller cannot see is a 404. The report
         *     keeps a copy of the content. No answer shows who sent a report. Reporting the same again while the report is
         *     open returns that report. At most 20 new reports an hour are taken; more are a 429 `too_many_reports`. Reporting
         *     one's own content is a 409 `cannot_report_oneself`.
         */
        post: operations["reportAbuse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/abuse-reports/{abuse_report_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a report of abuse that the caller sent
         * @description Another caller's report is a 404.
         */
        get: operations["getMyAbuseReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the health of the service and its parts
         * @description The service needs only the database: without it, it is `down`. Without another part it is `degraded`; the
         *     property `degraded` lists the parts with a fault, and what users notice. An answer about the workers may be 5
         *     seconds old, about the schedules 15, and about emails 30.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check that the process is alive
         * @description Answers as long as the process runs. It looks at no other service: a failure means that the process should be
         *     restarted.
         */
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check that the process is ready for requests
         * @description It needs the database, and no other part.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/cleanup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a clean-up run
         * @description Works whether or not the schedule is paused. Without a body, it applies every policy that is on.
         */
        post: operations["startCleanup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/cleanup/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List clean-up runs, newest first
         * @description Runs by schedule and runs that an admin has started.
         */
        get: operations["listCleanupRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/cleanup/runs/{run_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a clean-up run
         * @description Shows the progress of a run, and what it did once it has ended.
         */
        get: operations["getCleanupRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/cleanup/runs/{run_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a clean-up run
         * @description The run ends after its current batch, with a report of what was done. Nothing more is removed after this answer,
         *     even when Temporal is down. Cancelling again changes nothing; a run that has ended is a 409 `run_ended`.
         */
        post: operations["cancelCleanupRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/rooms/retired": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List rooms that clean-up archived, latest first
         * @description Rooms that nobody has used for a long time. Admins can restore them until they are deleted.
         */
        get: operations["listRetiredRooms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/rooms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List all rooms that are not deleted
         * @description Includes private and hidden rooms. Newest first.
         */
        get: operations["adminListRooms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/rooms/{room_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a room as an admin
         * @description Shows private and hidden rooms, too.
         */
        get: operations["adminGetRoom"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/rooms/{room_id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the messages of a room as an admin, newest first
         * @description Includes hidden messages, with their text. Reading the messages of a private room is audited, once an hour for
         *     each admin and room.
         */
        get: operations["adminListMessages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/rooms/{room_id}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close a room as an admin
         * @description Archives the room, so that its host cannot open it again. The host reads the reason in the room's log, where no
         *     admin is named. Closing it again changes nothing.
         */
        post: operations["closeRoom"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/rooms/{room_id}/reopen": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reopen a room as an admin
         * @description An open room stays as it is. A room whose host has no account any more is a 409 `room_without_host`.
         */
        post: operations["reopenRoom"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/messages/{message_id}/delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Delete a message as an admin
         * @description The text is deleted; the list keeps an empty message in its place. The room's log has the reason, and names no
         *     admin.
         */
        post: operations["adminDeleteMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/abuse-reports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List reports of abuse, newest first
         * @description No answer shows who sent a report. A report is deleted 90 days (by default) after it was resolved.
         */
        get: operations["listAbuseReports"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/abuse-reports/{abuse_report_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a report of abuse
         * @description Has the reported content as it was when it was reported.
         */
        get: operations["getAbuseReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/abuse-reports/{abuse_report_id}/resolve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resolve a report of abuse
         * @description A report that is resolved already is a 409 `report_resolved`. Closing a room, deleting a message and suspending
         *     an account resolve the report that they name in `abuse_report_id`, as `acted`.
         */
        post: operations["resolveAbuseReport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/rooms/{room_id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restore a room that clean-up archived
         * @description An open room stays as it is. A room that its host archived is a 409 `room_not_retired`, and one whose host has
         *     no account any more is a 409 `room_without_host`.
         */
        post: operations["restoreRoom"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List schedules
         * @description Has the last ten and the next ten runs of each. While Temporal is down, all operations on schedules are a 503.
         */
        get: operations["listSchedules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/schedules/{schedule_id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause a schedule
         * @description Restarts of workers do not end the pause.
         */
        post: operations["pauseSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/schedules/{schedule_id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a schedule
         * @description Runs that were due during the pause are not started later.
         */
        post: operations["resumeSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/schedules/{schedule_id}/trigger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Trigger a schedule now
         * @description Does nothing while a run of the schedule is in progress. Of two triggers within one second, only one counts.
         */
        post: operations["triggerSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/schedules/{schedule_id}/backfill": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Backfill a schedule for a period
         * @description Starts the runs that the schedule would have started in the period, one after the other.
         */
        post: operations["backfillSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/reports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List activity and clean-up reports, newest first
         * @description There is a report of each clean-up run that has ended, and of each week and month of use. The schedules
         *     `activity-report-weekly` and `activity-report-monthly` make the latter; a backfill of them makes reports of
         *     former periods.
         */
        get: operations["listActivityReports"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/reports/{report_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a report
         * @description An activity report has the figures of its period and of the period before.
         */
        get: operations["getActivityReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/reports/{report_id}/csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the days of an activity report as CSV
         * @description RFC 4180, with a header; a line for each day. A report of another kind is a 404.
         */
        get: operations["getActivityReportTable"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/reports/view": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * View an activity report as a page
         * @description Needs the token of the link in the email of the report, or of its `page_url`.
         */
        post: operations["viewActivityReport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List accounts
         * @description Includes suspended accounts. With `q` it is a search.
         */
        get: operations["listUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/users/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an account
         * @description Also shows data that only admins see, such as the suspension of the account.
         */
        get: operations["getUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/users/{user_id}/suspend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Suspend an account
         * @description Ends all sign-ins of the account and refuses new ones. With `hide_content`, its content is hidden until it is
         *     reinstated: the rooms that it hosts are a 404 for everyone, and its messages look deleted. Without
         *     `hide_content`, no list has its rooms, and each passes to another host as soon as somebody in it sends a
         *     heartbeat. Suspending it again is a success, and can hide or show its content. Admins cannot suspend themselves
         *     (409 `cannot_suspend_oneself`), so that there is always one left.
         */
        post: operations["suspendUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/users/{user_id}/reinstate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reinstate a suspended account
         * @description Shows the content that was hidden with the account, except what was deleted meanwhile.
         */
        post: operations["reinstateUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/users/{user_id}/admin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Grant an account admin rights
         * @description An account whose address is not confirmed is a 409 `account_unverified`, since anybody may have registered it.
         *     An admin stays an admin.
         */
        put: operations["grantAdmin"];
        post?: never;
        /**
         * Revoke an account's admin rights
         * @description Admins can revoke their own rights, too. The last admin's rights cannot be revoked (409 `last_admin`); admins
         *     who are suspended, or whose address is not confirmed, do not count. An account that is no admin stays as it is.
         */
        delete: operations["revokeAdmin"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/admins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List admins, newest account first
         * @description The accounts that may use the operations of this section.
         */
        get: operations["listAdmins"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/users/{user_id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the sign-ins of an account, newest first
         * @description A sign-in is a device or browser that has signed in and has not signed out. None is `current`.
         */
        get: operations["listUserSessions"];
        put?: never;
        post?: never;
        /**
         * End all sign-ins of an account
         * @description Signs the account out everywhere. Its access tokens end with it.
         */
        delete: operations["endUserSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/users/{user_id}/sessions/{session_id}": {
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
         * End one sign-in of an account
         * @description Ends one sign-in. Its access tokens end with it.
         */
        delete: operations["endUserSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/emails": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List emails, newest first
         * @description Has neither addresses nor texts. `address` finds the emails to one address by its hash, however the address is
         *     written; all filters apply together.
         */
        get: operations["listEmails"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/emails/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the pause of emails
         * @description While emails are paused, none is sent. They are kept, and go out later.
         */
        get: operations["getEmailPause"];
        /**
         * Pause all emails
         * @description Workers stop within seconds, and finish what they are sending at that moment. Waiting emails lose no attempt.
         *     Pausing again is a success.
         */
        put: operations["pauseEmails"];
        post?: never;
        /**
         * Resume emails
         * @description Emails that have become useless meanwhile, for example because their link has expired, are cancelled. Resuming
         *     again is a success.
         */
        delete: operations["resumeEmails"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/emails/previews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List previews of all kinds of email
         * @description Each kind of email with made-up content.
         */
        get: operations["listEmailPreviews"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/emails/{email_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an email with its attempts
         * @description Has each attempt with the answer of the mail server.
         */
        get: operations["getEmail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/emails/{email_id}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resend an email
         * @description Makes a new email about the same thing to the current address. The original must have ended. The new email is
         *     cancelled if it is of no use any more.
         */
        post: operations["resendEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/emails/{email_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel an email
         * @description An attempt that is under way goes on; if it succeeds, the email is `sent` after all. Cancelling again is a
         *     success.
         */
        post: operations["cancelEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List webhooks, newest first
         * @description Shows the address and the state of each webhook, but no secrets.
         */
        get: operations["listWebhooks"];
        put?: never;
        /**
         * Register a webhook
         * @description The address gets a signed message for each event of the given kinds, as specified by Standard Webhooks 1.0: at
         *     least once, and again until it answers 2xx, for three days. The callbacks describe the messages. `secret` is
         *     shown in this answer only. The address has to be https and of a public server, unless settings allow private
         *     networks.
         */
        post: operations["createWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhooks/{webhook_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a webhook
         * @description Shows the state of the webhook, but not its secret.
         */
        get: operations["getWebhook"];
        put?: never;
        post?: never;
        /**
         * Remove a webhook
         * @description Its secret is deleted at once, and its waiting deliveries are cancelled.
         */
        delete: operations["deleteWebhook"];
        options?: never;
        head?: never;
        /**
         * Update a webhook
         * @description Changes the properties that are sent. Switching a webhook on resets its failures; missed events can be replayed.
         *     While it is off, events are kept as cancelled deliveries.
         */
        patch: operations["updateWebhook"];
        trace?: never;
    };
    "/admin/webhooks/{webhook_id}/secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace the secret of a webhook
         * @description `secret` is shown in this answer only. During the overlap, each message has two signatures, of the new secret
         *     and of the former one. Without a body, the overlap is a day.
         */
        post: operations["rotateWebhookSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhooks/{webhook_id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a test message
         * @description Queues a message of the type `webhook.test`. The answer is its delivery, which shows the result once the message
         *     was sent.
         */
        post: operations["testWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhooks/{webhook_id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replay the events that a webhook has missed
         * @description Restarts the deliveries that failed or were cancelled and have an event at `since` or later: the oldest first,
         *     at most 500. If `more` is true, send the request again.
         */
        post: operations["replayWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhooks/{webhook_id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the deliveries to a webhook, newest first
         * @description All filters apply together.
         */
        get: operations["listWebhookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhook-deliveries/{delivery_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a delivery with its attempts
         * @description Has the message, and the latest 100 attempts.
         */
        get: operations["getWebhookDelivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhook-deliveries/{delivery_id}/redeliver": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Redeliver a message
         * @description Restarts a delivery that has ended, even if it succeeded. The message and its `webhook-id` stay the same.
         */
        post: operations["redeliverWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an overview of the service
         * @description The work that is late, the work done in the last hour and week, the queues with their workers, and the outbox.
         *     Parts that come from Temporal are null while it is down; `temporal` says so.
         */
        get: operations["getOverview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List jobs
         * @description A job is one run of a workflow. Running jobs come first, then the jobs that ended last. The list comes from
         *     Temporal and may be some seconds old; `countJobs` counts its jobs. While Temporal is down, all operations on
         *     jobs are a 503.
         */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/jobs/counts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count jobs by kind and state
         * @description Approximate, and some seconds behind.
         */
        get: operations["countJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/jobs/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a job with its steps and its history
         * @description An ID of a workflow without a run stands for the latest run. `job_expired`: Temporal has removed the job after
         *     its retention. `job_not_started`: its event is still in the outbox.
         */
        get: operations["getJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/jobs/{job_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a job
         * @description The job cleans up before it ends, which may take some seconds. Its email is cancelled at once.
         */
        post: operations["cancelJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/jobs/{job_id}/terminate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Terminate a job
         * @description The job ends at once, without cleaning up. Its email is cancelled, its upload or clean-up run fails.
         */
        post: operations["terminateJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/jobs/{job_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry a job
         * @description The steps of a running job that wait for another attempt are tried now, and have all their attempts again; while
         *     their queue is paused, this is a 409 `queue_paused`. For a job that failed, was cancelled or terminated, or ran
         *     out of time: an email is sent as a new email, a clean-up run is started as a new run, and any other job goes on
         *     from its last good point. `job` in the answer is the job that does the work now; it is null while its event is
         *     in the outbox.
         */
        post: operations["retryJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/job-batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel, terminate or retry many jobs
         * @description Send it first with `dry_run`, which only counts; then again with that count in `expected`. If more jobs match by
         *     then, nothing is done. At most 200 jobs are acted on by one request; `left` says how many remain. Jobs that
         *     ended meanwhile, have nothing to retry, or wait for the end of a pause are skipped. To terminate, the `note` is
         *     needed.
         */
        post: operations["actOnJobs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/queues": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the task queues
         * @description While Temporal is down, the figures are null, and the pauses are still there.
         */
        get: operations["listTaskQueues"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/queues/{queue}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause a kind of work
         * @description The queues that can be paused are `email` (emails), `avatar` (the rendering of avatars), `maintenance`
         *     (clean-up, reports and deletions of accounts) and `webhooks` (deliveries to webhooks). Workers stop within
         *     seconds. Waiting work keeps its place and loses no attempt, new work waits, too, and interrupted work goes on
         *     after the pause. Pausing again is a success.
         */
        post: operations["pauseTaskQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/queues/{queue}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a kind of work
         * @description Resuming again is a success.
         */
        post: operations["resumeTaskQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/outbox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the state of the outbox
         * @description How many events wait, since when, and the last error. Works while Temporal is down.
         */
        get: operations["getOutbox"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/outbox/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the events that Temporal does not have yet
         * @description Newest first. Works while Temporal is down.
         */
        get: operations["listOutboxEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/outbox/events/{event_id}/requeue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Requeue an event, so that it is tried now
         * @description An event that was abandoned can be retried, too.
         */
        post: operations["requeueOutboxEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/cleanup/policies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the clean-up policies with their ages
         * @description The policies in the order of a run. A setting decides whether a policy is on, and its age.
         */
        get: operations["listCleanupPolicies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the audit log, newest first
         * @description The log has the acts of admins, with their times and targets. Entries do not change.
         */
        get: operations["listAuditLog"];
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
        /**
         * Format: uuid
         * @description A UUIDv7, in lower case in every answer. Requests may have it in upper case.
         */
        ID: string;
        /** @description A place in a list. Take it from an answer of the same list. */
        Cursor: string;
        /** @description The name that is unique among accounts, whatever its case. It never changes. */
        Username: string;
        /** Format: date-time */
        Time: string;
        /** @description Whether the answer came from the cache */
        Cached: boolean;
        /** @description Where the next page starts; null at the end */
        NextCursor: string | null;
        /**
         * Format: email
         * @description An email address, as it was typed.
         */
        EmailAddress: string;
        /**
         * @description The language of emails: English or German
         * @enum {string}
         */
        Language: "en" | "de";
        /** @description The name that others see, in one line */
        DisplayName: string;
        /** @description The `User-Agent` of the client; empty if it sent none */
        UserAgent: string;
        /** @description The number of the upload, counted from 1 for each account */
        AvatarVersion: number;
        /** @description The title, in one line */
        MovieTitle: string;
        /** @description The year of the first release */
        MovieYear: number;
        /** @description How long the movie takes in minutes */
        MovieRuntime: number;
        /** @description The name of the room, in one line */
        RoomName: string;
        /** @description The description of the room; empty without one */
        RoomDescription: string;
        /**
         * @description How many people can be in the room at once, the host included
         * @default 50
         */
        RoomCapacity: number;
        /** @description How many seconds each person waits between two messages; 0 without slow mode */
        SlowModeSeconds: number;
        /** @description Plain text, of one or more lines */
        MessageBody: string;
        /**
         * @example {
         *       "username": "carol",
         *       "email": "carol@example.org",
         *       "password": "correct horse battery",
         *       "display_name": "Carol"
         *     }
         */
        RegisterRequest: {
            username: components["schemas"]["Username"];
            email: components["schemas"]["EmailAddress"];
            password: components["schemas"]["NewPassword"];
            /** @description The name that others see, in one line; without it, the username */
            display_name?: string | null;
            /**
             * @description The language of emails; without it, the language of `Accept-Language`, or English
             * @enum {string|null}
             */
            language?: "en" | "de" | null;
        };
        /**
         * @example {
         *       "email": "alice@watchparty.test",
         *       "password": "watchparty-demo"
         *     }
         */
        LoginRequest: {
            /**
             * Format: email
             * @description The account's email address
             */
            email: string;
            password: components["schemas"]["Password"];
        };
        /**
         * @description 10 to 128 characters in the form of RFC 8265, OpaqueString: composed (NFC), with plain spaces, without control
         *     and invisible characters. It must be neither the username nor the email address, nor the part before
         *     its @, nor one of the 10,000 most common passwords; case makes no difference to that. The codes of `errors` are
         *     `too_short`, `too_long`, `characters`, `name` and `common`.
         */
        NewPassword: string;
        /** @description The account's current password */
        Password: string;
        /**
         * @example {
         *       "password": "correct horse battery"
         *     }
         */
        DeleteMeRequest: {
            password: components["schemas"]["Password"];
        };
        /**
         * @example {
         *       "token": "Zm9yLWV4YW1wbGUtb25seS1ub3QtYS1yZWFsLXRva2VuLTAxMjM0NTY3ODlhYmNk"
         *     }
         */
        TokenRequest: {
            token: components["schemas"]["OneTimeToken"];
        };
        /** @description The token that follows `#token=` in the link of an email */
        OneTimeToken: string;
        /**
         * @example {
         *       "email": "carol@example.org"
         *     }
         */
        EmailRequest: {
            email: components["schemas"]["EmailAddress"];
        };
        /**
         * @example {
         *       "token": "Zm9yLWV4YW1wbGUtb25seS1ub3QtYS1yZWFsLXRva2VuLTAxMjM0NTY3ODlhYmNk",
         *       "password": "correct horse battery"
         *     }
         */
        ResetRequest: {
            token: components["schemas"]["OneTimeToken"];
            password: components["schemas"]["NewPassword"];
        };
        /**
         * @example {
         *       "current_password": "correct horse battery",
         *       "new_password": "staple battery horse"
         *     }
         */
        ChangePasswordRequest: {
            current_password: components["schemas"]["Password"];
            new_password: components["schemas"]["NewPassword"];
        };
        /**
         * @example {
         *       "email": "carol@example.com",
         *       "password": "correct horse battery"
         *     }
         */
        ChangeEmailRequest: {
            email: components["schemas"]["EmailAddress"];
            password: components["schemas"]["Password"];
        };
        /**
         * @example {
         *       "refresh_token": "q3Jf0T9vXw2LrZc8yN5hB1sKdM7uE4aG6pVtRiYoCxk"
         *     }
         */
        RefreshRequest: {
            /** @description The newest refresh token of the sign-in */
            refresh_token: string;
        };
        /**
         * @description An account, with the tokens of a sign-in
         * @example {
         *       "user": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "email": "carol@example.org",
         *         "email_verified": true,
         *         "pending_email": null,
         *         "display_name": "Carol",
         *         "language": "en",
         *         "is_admin": false,
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         },
         *         "created_at": "2026-01-10T18:00:00Z",
         *         "updated_at": "2026-01-12T09:30:00Z"
         *       },
         *       "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwMTk5M2Y2ZSJ9.dGhlLXNpZ25hdHVyZQ",
         *       "refresh_token": "q3Jf0T9vXw2LrZc8yN5hB1sKdM7uE4aG6pVtRiYoCxk",
         *       "expires_in": 900
         *     }
         */
        SignedIn: {
            user: components["schemas"]["Account"];
            /** @description The JWT for `Authorization: Bearer …` */
            access_token: string;
            /** @description The token for the next pair. Whoever has it is signed in. */
            refresh_token: string;
            /** @description The time in seconds for which the access token is valid */
            expires_in: number;
        };
        /**
         * @description Absolute addresses of square pictures. Every account has these. Without an avatar of its own, the picture is
         *     generated: SVG, and PNG for `plain`. What an address leads to never changes; another avatar has other addresses,
         *     and the former ones work for another minute.
         * @example {
         *       "default": false,
         *       "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *       "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *       "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *       "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *     }
         */
        AvatarURLs: {
            /** @description Whether it is the generated picture */
            default: boolean;
            /**
             * Format: uri
             * @description WebP of 128 × 128 pixels
             */
            thumbnail: string;
            /**
             * Format: uri
             * @description WebP of 512 × 512 pixels
             */
            medium: string;
            /**
             * Format: uri
             * @description WebP of 1024 × 1024 pixels, or the medium one when the picture had fewer pixels
             */
            large: string;
            /**
             * Format: uri
             * @description JPEG or PNG of 512 × 512 pixels, for clients without WebP. Avatars from before there were such files have
             *     the address of `medium` here.
             */
            plain: string;
        };
        /**
         * @description The public data of an account
         * @example {
         *       "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *       "username": "carol",
         *       "display_name": "Carol",
         *       "avatar": {
         *         "default": false,
         *         "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *         "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *         "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *         "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *       },
         *       "created_at": "2026-01-10T18:00:00Z"
         *     }
         */
        Profile: {
            id: components["schemas"]["ID"];
            username: components["schemas"]["Username"];
            display_name: components["schemas"]["DisplayName"];
            avatar: components["schemas"]["AvatarURLs"];
            /**
             * Format: date-time
             * @description When the account was created
             */
            created_at: string;
        };
        /**
         * @description An account, as its owner sees it
         * @example {
         *       "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *       "username": "carol",
         *       "email": "carol@example.org",
         *       "email_verified": true,
         *       "pending_email": null,
         *       "display_name": "Carol",
         *       "language": "en",
         *       "is_admin": false,
         *       "avatar": {
         *         "default": false,
         *         "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *         "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *         "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *         "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *       },
         *       "created_at": "2026-01-10T18:00:00Z",
         *       "updated_at": "2026-01-12T09:30:00Z"
         *     }
         */
        Account: {
            id: components["schemas"]["ID"];
            username: components["schemas"]["Username"];
            email: components["schemas"]["EmailAddress"];
            /** @description Whether the owner has confirmed the address */
            email_verified: boolean;
            /**
             * Format: email
             * @description The address that replaces `email` once it is confirmed. `GET /users/me` and the export have it; it is null
             *     in other answers, and when no change of address is open.
             */
            pending_email: string | null;
            display_name: components["schemas"]["DisplayName"];
            language: components["schemas"]["Language"];
            /** @description Whether the account has the rights of an admin */
            is_admin: boolean;
            avatar: components["schemas"]["AvatarURLs"];
            /**
             * Format: date-time
             * @description When the account was created
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When the account was last changed
             */
            updated_at: string;
        };
        /**
         * @example {
         *       "display_name": "Carol B.",
         *       "language": "de"
         *     }
         */
        UpdateMeRequest: {
            /** @description The name that others see, in one line; null makes it the username */
            display_name?: string | null;
            language?: components["schemas"]["Language"];
        };
        /**
         * @description A sign-in on one device or in one browser
         * @example {
         *       "id": "01993f6e-9a10-7d55-b0c1-2e3f40516273",
         *       "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
         *       "signed_in_at": "2026-01-31T19:58:00Z",
         *       "last_used_at": "2026-01-31T20:13:00Z",
         *       "expires_at": "2026-03-02T20:13:00Z",
         *       "current": true
         *     }
         */
        Session: {
            id: components["schemas"]["ID"];
            user_agent: components["schemas"]["UserAgent"];
            /**
             * Format: date-time
             * @description When it began
             */
            signed_in_at: string;
            /**
             * Format: date-time
             * @description When it last got an access token
             */
            last_used_at: string;
            /**
             * Format: date-time
             * @description When it ends, unless it is used before
             */
            expires_at: string;
            /** @description Whether the request was made with it */
            current: boolean;
        };
        /**
         * @description Everything that is stored about an account
         * @example {
         *       "account": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "email": "carol@example.org",
         *         "email_verified": true,
         *         "pending_email": null,
         *         "display_name": "Carol",
         *         "language": "en",
         *         "is_admin": false,
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         },
         *         "created_at": "2026-01-10T18:00:00Z",
         *         "updated_at": "2026-01-12T09:30:00Z"
         *       },
         *       "invitations_refused": false,
         *       "sessions": [
         *         {
         *           "id": "01993f6e-9a10-7d55-b0c1-2e3f40516273",
         *           "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
         *           "signed_in_at": "2026-01-31T19:58:00Z",
         *           "last_used_at": "2026-01-31T20:13:00Z",
         *           "expires_at": "2026-03-02T20:13:00Z",
         *           "ended_at": null,
         *           "current": true
         *         }
         *       ],
         *       "addresses": [
         *         {
         *           "email": "carol@example.org",
         *           "former": null,
         *           "requested_at": "2026-01-10T18:00:00Z",
         *           "used_at": "2026-01-10T18:05:00Z",
         *           "expires_at": "2026-01-17T18:00:00Z"
         *         }
         *       ],
         *       "password_resets": [
         *         {
         *           "requested_at": "2026-01-12T09:00:00Z",
         *           "used_at": "2026-01-12T09:04:00Z",
         *           "expires_at": "2026-01-12T09:30:00Z"
         *         }
         *       ],
         *       "emails": [
         *         {
         *           "kind": "welcome",
         *           "state": "sent",
         *           "attempts": 1,
         *           "last_answer": null,
         *           "created_at": "2026-01-10T18:00:00Z",
         *           "sent_at": "2026-01-10T18:00:01Z"
         *         }
         *       ],
         *       "rooms": [
         *         {
         *           "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "name": "Friday night",
         *           "description": "Silents only",
         *           "movie_id": null,
         *           "host_id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "visibility": "public",
         *           "capacity": 20,
         *           "slow_mode_seconds": 0,
         *           "control": "moderators",
         *           "queue": "everyone",
         *           "queue_order": "manual",
         *           "wait_policy": "everyone",
         *           "now_playing": false,
         *           "state": "open",
         *           "closed": false,
         *           "role": "host",
         *           "joined": true,
         *           "created_at": "2026-01-31T20:15:00Z",
         *           "updated_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "memberships": [
         *         {
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "role": "host",
         *           "since": "2026-01-31T19:00:00Z"
         *         }
         *       ],
         *       "presence": [
         *         {
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "joined_at": "2026-01-31T19:00:00Z",
         *           "last_seen_at": "2026-01-31T20:15:00Z",
         *           "present_since": "2026-01-31T19:58:00Z"
         *         }
         *       ],
         *       "read_markers": [
         *         {
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "message_id": "01993f76-7182-73a4-95c6-d7e8f90a1b2c",
         *           "read_at": "2026-01-31T20:14:00Z"
         *         }
         *       ],
         *       "queue_items": [
         *         {
         *           "id": "01993f7e-0a1b-7c2d-8e3f-405162738496",
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "movie_id": null,
         *           "title": "Faust",
         *           "stream_url": "https://movies.example/faust.webm",
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "queue_votes": [
         *         {
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "item_id": "01993f7e-0a1b-7c2d-8e3f-405162738496",
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "parties": [
         *         {
         *           "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "title": "Second part",
         *           "movie_id": null,
         *           "starts_at": "2026-02-01T19:30:00Z",
         *           "time_zone": "Europe/Berlin",
         *           "state": "scheduled",
         *           "created_at": "2026-01-31T19:00:00Z"
         *         }
         *       ],
         *       "party_answers": [
         *         {
         *           "party_id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "answer": "yes",
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "stays": [
         *         {
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "started_at": "2026-01-31T19:00:00Z",
         *           "ended_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "active_days": [
         *         "2026-01-31"
         *       ],
         *       "messages": [
         *         {
         *           "id": "01993f76-7182-73a4-95c6-d7e8f90a1b2c",
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "body": "Shall we begin?",
         *           "reply_to_id": null,
         *           "created_at": "2026-01-31T20:14:00Z",
         *           "edited_at": null,
         *           "deleted": false
         *         }
         *       ],
         *       "invitations": [
         *         {
         *           "id": "01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "email": "erin@example.org",
         *           "state": "open",
         *           "delivery": {
         *             "state": "sending",
         *             "reason": "mailbox_full"
         *           },
         *           "inviter": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "expires_at": "2026-02-07T20:15:00Z",
         *           "answered_at": null,
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "accepted_invitations": [
         *         {
         *           "room_id": "01993f7d-f90a-7b1c-9d2e-5f6071829304",
         *           "answered_at": "2026-01-20T18:00:00Z"
         *         }
         *       ],
         *       "received_invitations": [
         *         {
         *           "room_id": "01993f7d-f90a-7b1c-9d2e-5f6071829304",
         *           "state": "accepted",
         *           "created_at": "2026-01-19T18:00:00Z",
         *           "expires_at": "2026-01-26T18:00:00Z",
         *           "answered_at": "2026-01-20T18:00:00Z"
         *         }
         *       ],
         *       "bans": [
         *         {
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "user_id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *           "reason": "Advertisements in every message",
         *           "until": "2026-02-07T20:15:00Z",
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "mutes": [],
         *       "received_bans": [],
         *       "received_mutes": [
         *         {
         *           "room_id": "01993f7d-f90a-7b1c-9d2e-5f6071829304",
         *           "reason": "",
         *           "until": "2026-01-20T19:00:00Z",
         *           "created_at": "2026-01-20T18:30:00Z"
         *         }
         *       ],
         *       "acts": [
         *         {
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "action": "banned",
         *           "user_id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *           "details": {
         *             "until": "2026-02-07T20:15:00Z",
         *             "reason": "Advertisements in every message"
         *           },
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "received_acts": [],
         *       "admin_acts": [],
         *       "account_acts": [],
         *       "abuse_reports": [
         *         {
         *           "id": "01993f78-93a4-75c6-b7e8-f90a1b2c3d4e",
         *           "kind": "spam",
         *           "target": {
         *             "kind": "message",
         *             "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d"
         *           },
         *           "text": "The same advertisement in every room",
         *           "created_at": "2026-01-31T20:20:00Z"
         *         }
         *       ],
         *       "avatars": [
         *         {
         *           "version": 3,
         *           "status": "ready",
         *           "reason": null,
         *           "published_at": "2026-01-31T20:15:03Z",
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "exported_at": "2026-01-31T20:16:00Z"
         *     }
         */
        Export: {
            account: components["schemas"]["Account"];
            /** @description Whether the address has unsubscribed from invitation emails */
            invitations_refused: boolean;
            /** @description All sign-ins, those that have ended included */
            sessions: components["schemas"]["ExportedSession"][];
            /** @description The email addresses that the account was asked to confirm */
            addresses: components["schemas"]["ExportedAddress"][];
            /** @description The password resets that were requested for the account */
            password_resets: components["schemas"]["ExportedReset"][];
            /** @description The emails that the service sent to the account */
            emails: components["schemas"]["ExportedEmail"][];
            /** @description The rooms where the account has a role or is a member */
            rooms: components["schemas"]["ExportedRoom"][];
            /** @description The roles that the account keeps in rooms, whether or not it is there */
            memberships: components["schemas"]["ExportedMembership"][];
            /** @description The rooms that the account is in */
            presence: components["schemas"]["ExportedPresence"][];
            /** @description The last message that the account has read in each room */
            read_markers: components["schemas"]["ExportedReadMarker"][];
            /** @description The items that the account added to queues and that were not played yet */
            queue_items: components["schemas"]["ExportedQueueItem"][];
            /** @description The votes of the account for items of queues */
            queue_votes: components["schemas"]["ExportedQueueVote"][];
            /** @description The parties that the account scheduled */
            parties: components["schemas"]["ExportedParty"][];
            /** @description The answers of the account to parties */
            party_answers: components["schemas"]["ExportedPartyAnswer"][];
            /** @description The times in which the account was seen in rooms */
            stays: components["schemas"]["ExportedStay"][];
            /** @description The days, in UTC, on which the account was active */
            active_days: string[];
            /** @description All messages that the account posted, the oldest first */
            messages: components["schemas"]["ExportedMessage"][];
            /** @description The invitations that the account sent */
            invitations: components["schemas"]["Invitation"][];
            /** @description The invitations that the account accepted */
            accepted_invitations: components["schemas"]["AcceptedInvitation"][];
            /** @description The invitations to the account's confirmed address */
            received_invitations: components["schemas"]["ReceivedInvitation"][];
            /** @description The bans that the account imposed */
            bans: components["schemas"]["ExportedSanction"][];
            /** @description The mutes that the account imposed */
            mutes: components["schemas"]["ExportedSanction"][];
            /** @description The bans of the account */
            received_bans: components["schemas"]["ReceivedSanction"][];
            /** @description The mutes of the account */
            received_mutes: components["schemas"]["ReceivedSanction"][];
            /** @description The acts of the account as a host or moderator */
            acts: components["schemas"]["ExportedAct"][];
            /** @description The acts of hosts and moderators on the account */
            received_acts: components["schemas"]["ExportedAct"][];
            /** @description The acts of the account as an admin */
            admin_acts: components["schemas"]["ExportedAdminAct"][];
            /** @description The acts of admins on the account, such as a suspension */
            account_acts: components["schemas"]["ExportedAdminAct"][];
            /** @description The reports of abuse that the account sent */
            abuse_reports: components["schemas"]["SentAbuseReport"][];
            /** @description The uploads of avatars */
            avatars: components["schemas"]["ExportedAvatar"][];
            /**
             * Format: date-time
             * @description When the export was made
             */
            exported_at: string;
        };
        /** @description A sign-in, whether or not it has ended */
        ExportedSession: {
            id: components["schemas"]["ID"];
            user_agent: components["schemas"]["UserAgent"];
            /**
             * Format: date-time
             * @description When it began
             */
            signed_in_at: string;
            /**
             * Format: date-time
             * @description When it last got an access token
             */
            last_used_at: string;
            /**
             * Format: date-time
             * @description When it ends, unless it is used before
             */
            expires_at: string;
            /**
             * Format: date-time
             * @description When it was ended; null while it lasts
             */
            ended_at: string | null;
            /** @description Whether the request was made with it */
            current: boolean;
        };
        /** @description An email address that the account was asked to confirm */
        ExportedAddress: {
            email: components["schemas"]["EmailAddress"];
            /**
             * Format: email
             * @description The address that it replaced; null for the first
             */
            former: string | null;
            /**
             * Format: date-time
             * @description When the link was requested
             */
            requested_at: string;
            /**
             * Format: date-time
             * @description When the link was used or made void; null before that
             */
            used_at: string | null;
            /**
             * Format: date-time
             * @description When the link stops working
             */
            expires_at: string;
        };
        /** @description A password reset that was requested */
        ExportedReset: {
            /**
             * Format: date-time
             * @description When the link was requested
             */
            requested_at: string;
            /**
             * Format: date-time
             * @description When the link was used or made void; null before that
             */
            used_at: string | null;
            /**
             * Format: date-time
             * @description When the link stops working
             */
            expires_at: string;
        };
        /** @description An email to the account */
        ExportedEmail: {
            kind: components["schemas"]["EmailKind"];
            state: components["schemas"]["EmailState"];
            /** @description How often it was tried */
            attempts: number;
            /** @description The last refusal of the mail server; null if there was none */
            last_answer: string | null;
            /**
             * Format: date-time
             * @description When it was queued
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When the mail server took it; null if it was not sent
             */
            sent_at: string | null;
        };
        /** @description A room, without the people in it */
        ExportedRoom: {
            id: components["schemas"]["ID"];
            name: components["schemas"]["RoomName"];
            description: components["schemas"]["RoomDescription"];
            /**
             * Format: uuid
             * @description The movie that people watch in it; null without one
             */
            movie_id: string | null;
            /**
             * Format: uuid
             * @description The account that runs it; null if that is deleted
             */
            host_id: string | null;
            visibility: components["schemas"]["Visibility"];
            capacity: components["schemas"]["RoomCapacity"];
            slow_mode_seconds: components["schemas"]["SlowModeSeconds"];
            /** @description The people who can send playback commands */
            control: components["schemas"]["AccessLevel"];
            /** @description The people who can add items to the queue */
            queue: components["schemas"]["AccessLevel"];
            queue_order: components["schemas"]["QueueOrder"];
            wait_policy: components["schemas"]["WaitPolicy"];
            now_playing: components["schemas"]["ShowsNowPlaying"];
            state: components["schemas"]["RoomState"];
            /** @description Whether an admin closed it */
            closed: boolean;
            role: components["schemas"]["Role"];
            /** @description Whether the account is in it now */
            joined: boolean;
            /**
             * Format: date-time
             * @description When it was opened
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When its properties last changed
             */
            updated_at: string;
        };
        /** @description A role in a room */
        ExportedMembership: {
            room_id: components["schemas"]["ID"];
            role: components["schemas"]["Role"];
            /**
             * Format: date-time
             * @description When the account got the role
             */
            since: string;
        };
        /** @description A room that the account is in */
        ExportedPresence: {
            room_id: components["schemas"]["ID"];
            /**
             * Format: date-time
             * @description When the account joined
             */
            joined_at: string;
            /**
             * Format: date-time
             * @description When the account last sent a heartbeat or a message
             */
            last_seen_at: string;
            /**
             * Format: date-time
             * @description When the account came back the last time and has been seen without a gap since; null while it is absent
             */
            present_since: string | null;
        };
        /** @description The last message that the account has read in a room */
        ExportedReadMarker: {
            room_id: components["schemas"]["ID"];
            message_id: components["schemas"]["ID"];
            /**
             * Format: date-time
             * @description When the marker was set
             */
            read_at: string;
        };
        /** @description Something that the account added to a queue */
        ExportedQueueItem: {
            id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            /**
             * Format: uuid
             * @description The movie; null for an address of the room's own
             */
            movie_id: string | null;
            /** @description The title that the account gave to an address */
            title: string;
            /**
             * Format: uri
             * @description The address; null for a movie
             */
            stream_url: string | null;
            /**
             * Format: date-time
             * @description When it was added
             */
            created_at: string;
        };
        /** @description A vote of the account */
        ExportedQueueVote: {
            room_id: components["schemas"]["ID"];
            item_id: components["schemas"]["ID"];
            /**
             * Format: date-time
             * @description When it was given
             */
            created_at: string;
        };
        /** @description A time in which the account was seen in a room */
        ExportedStay: {
            room_id: components["schemas"]["ID"];
            /**
             * Format: date-time
             * @description When the account was first seen
             */
            started_at: string;
            /**
             * Format: date-time
             * @description When the account was last seen
             */
            ended_at: string;
        };
        /** @description Something that a host or moderator did in a room */
        ExportedAct: {
            room_id: components["schemas"]["ID"];
            action: components["schemas"]["RoomAction"];
            /**
             * Format: uuid
             * @description The account that the act was done to; null if it was done to nobody, or to this account
             */
            user_id: string | null;
            details: components["schemas"]["ActDetails"];
            /**
             * Format: date-time
             * @description When it was done
             */
            created_at: string;
        };
        /**
         * @description The details of an act. Acts that are not named here have none.
         *
         *     In a room's log: `room_updated` has `fields` (the names of the changed properties); `room_closed` `reason`;
         *     `role_set` `role`; `banned` and `muted` `until` (null for a ban without an end) and `reason`; `message_deleted`
         *     `message_id`, and `reason` if an admin deleted it; the acts on invitations `invitation_id`; `paused` and
         *     `sought` `position_ms`; `rate_set` `rate`; `loaded` and the acts on the queue `item_id`, and `movie_id` for a
         *     movie of the catalogue; the acts on parties `party_id`; `party_changed` `fields`, too.
         *
         *     In the audit log, each act has `note` if the admin gave one. Also: `user_suspended` has `reason` and
         *     `hide_content`; `user_session_ended` `session_id`; `movie_updated` and `webhook_updated` `fields`;
         *     `movie_deleted` `title` and `year`; `cleanup_started` `policies`, `dry_run`, `older_than` if it was given, and
         *     `again` (the ID of the run that it repeats); `room_closed` and `room_reopened` `reason`; `message_removed`
         *     `reason` and `room_id`; `abuse_report_resolved` `outcome`; the acts on schedules `schedule`, and
         *     `schedule_backfilled` also `start` and `end`; `email_resent` `kind` and `resend_of`; `email_cancelled` `kind`;
         *     the acts on jobs `workflow_id`, `run_id` and `kind`, and `batch` if it was one of many; `queue_paused` and
         *     `queue_resumed` `queue`; `event_requeued` `workflow_id` and `state`; `webhook_created` `kinds`;
         *     `webhook_secret_rotated` `overlap_seconds`; `webhook_switched_off` `reason`; `webhook_tested` `delivery_id`;
         *     `webhook_redelivered` `kind`; `webhook_replayed` `since` and `queued`.
         */
        ActDetails: {
            [key: string]: unknown;
        };
        /** @description Something that an admin did */
        ExportedAdminAct: {
            action: components["schemas"]["AuditAction"];
            target_kind: components["schemas"]["AuditTargetKind"];
            target_id: components["schemas"]["ID"];
            details: components["schemas"]["ActDetails"];
            outcome: components["schemas"]["AuditOutcome"];
            /**
             * Format: date-time
             * @description When it was done
             */
            created_at: string;
        };
        /** @description An invitation to the account's address */
        ReceivedInvitation: {
            room_id: components["schemas"]["ID"];
            state: components["schemas"]["InvitationState"];
            /**
             * Format: date-time
             * @description When it was sent
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it expires
             */
            expires_at: string;
            /**
             * Format: date-time
             * @description When it was answered; null before that
             */
            answered_at: string | null;
        };
        /** @description A ban or mute of the account */
        ReceivedSanction: {
            room_id: components["schemas"]["ID"];
            reason: components["schemas"]["Reason"];
            /**
             * Format: date-time
             * @description When it ends by itself; null for never
             */
            until: string | null;
            /**
             * Format: date-time
             * @description When it was imposed
             */
            created_at: string;
        };
        /** @description A message of the account */
        ExportedMessage: {
            id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            /** @description Plain text; empty when the message is deleted */
            body: string;
            /**
             * Format: uuid
             * @description The message that it answers; null without one
             */
            reply_to_id: string | null;
            /**
             * Format: date-time
             * @description When it was posted
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was last edited; null if it never was
             */
            edited_at: string | null;
            /** @description Whether it is deleted */
            deleted: boolean;
        };
        /** @description An invitation that the account accepted */
        AcceptedInvitation: {
            room_id: components["schemas"]["ID"];
            /**
             * Format: date-time
             * @description When the account accepted it
             */
            answered_at: string;
        };
        /** @description A ban or mute that the account imposed */
        ExportedSanction: {
            room_id: components["schemas"]["ID"];
            user_id: components["schemas"]["ID"];
            reason: components["schemas"]["Reason"];
            /**
             * Format: date-time
             * @description When it ends by itself; null for never
             */
            until: string | null;
            /**
             * Format: date-time
             * @description When it was imposed
             */
            created_at: string;
        };
        /** @description An upload of an avatar */
        ExportedAvatar: {
            version: components["schemas"]["AvatarVersion"];
            /**
             * @description Where the upload stands; `superseded` by a newer upload or a deletion
             * @enum {string}
             */
            status: "processing" | "ready" | "failed" | "superseded";
            /** @description Why it failed; null unless it did */
            reason: string | null;
            /**
             * Format: date-time
             * @description When it became the avatar; null if it never did
             */
            published_at: string | null;
            /**
             * Format: date-time
             * @description When it was uploaded
             */
            created_at: string;
        };
        /**
         * @description The newest upload of an avatar
         * @example {
         *       "status": "processing",
         *       "step": "rendering",
         *       "reason": null,
         *       "version": 4,
         *       "avatar": {
         *         "default": false,
         *         "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *         "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *         "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *         "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *       },
         *       "created_at": "2026-01-31T20:15:00Z",
         *       "updated_at": "2026-01-31T20:15:01Z"
         *     }
         */
        AvatarUpload: {
            /**
             * @description The state of the upload. `processing`: it is being rendered. `ready`: it is the avatar. `failed`: it could
             *     not be rendered; `reason` says why.
             * @enum {string}
             */
            status: "processing" | "ready" | "failed";
            /**
             * @description The current step; null unless `status` is `processing`. `queued`: no worker has begun. `rendering`: the
             *     picture is read and converted. `publishing`: the files are stored and become the avatar.
             * @enum {string|null}
             */
            step: "queued" | "rendering" | "publishing" | null;
            /** @description Why it failed and what to do; null unless it did */
            reason: string | null;
            version: components["schemas"]["AvatarVersion"];
            avatar: components["schemas"]["AvatarURLs"];
            /**
             * Format: date-time
             * @description When it was uploaded
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When its status or step last changed
             */
            updated_at: string;
        };
        /**
         * @description A movie of the catalogue
         * @example {
         *       "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *       "title": "Nosferatu",
         *       "year": 1922,
         *       "runtime_minutes": 94,
         *       "description": "A clerk travels to the castle of a count.",
         *       "genres": [
         *         "horror"
         *       ],
         *       "poster_url": "https://movies.example/nosferatu.jpg",
         *       "stream_url": "https://movies.example/nosferatu.webm",
         *       "duration_ms": 5640123,
         *       "subtitles": [],
         *       "archived": false,
         *       "created_at": "2026-01-05T12:00:00Z",
         *       "updated_at": "2026-01-05T12:00:00Z"
         *     }
         */
        Movie: {
            id: components["schemas"]["ID"];
            title: components["schemas"]["MovieTitle"];
            year: components["schemas"]["MovieYear"];
            runtime_minutes: components["schemas"]["MovieRuntime"];
            /** @description The description of the movie; empty without one */
            description: string;
            /** @description The genres, in the order in which they were given */
            genres: components["schemas"]["Genre"][];
            /**
             * Format: uri
             * @description Where a poster is; null without one
             */
            poster_url: string | null;
            /**
             * Format: uri
             * @description Where the movie is; null without an address
             */
            stream_url: string | null;
            /**
             * Format: int64
             * @description The length of the stream in milliseconds; null when nobody has measured it
             */
            duration_ms: number | null;
            /** @description The subtitles, by language */
            subtitles: components["schemas"]["Subtitle"][];
            /** @description Whether it is not in the catalogue any more */
            archived: boolean;
            /**
             * Format: date-time
             * @description When it was added
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was last changed
             */
            updated_at: string;
        };
        /** @description A genre. It is stored in lower case. */
        Genre: string;
        /** @description A genre with its movies */
        GenreCount: {
            genre: components["schemas"]["Genre"];
            /** @description The number of movies of the catalogue that have it */
            movies: number;
        };
        /**
         * @example {
         *       "title": "Nosferatu",
         *       "year": 1922,
         *       "runtime_minutes": 94,
         *       "genres": [
         *         "horror"
         *       ]
         *     }
         */
        CreateMovieRequest: {
            title: components["schemas"]["MovieTitle"];
            year: components["schemas"]["MovieYear"];
            runtime_minutes: components["schemas"]["MovieRuntime"];
            /** @description The description of the movie, in one or more lines */
            description?: string | null;
            /** @description The genres, each once */
            genres?: components["schemas"]["Genre"][] | null;
            /**
             * Format: uri
             * @description The address of a poster: https, in ASCII, without a user name
             */
            poster_url?: string | null;
            /**
             * Format: uri
             * @description The address of an MP4, WebM or HLS stream: https, in ASCII, without a user name
             */
            stream_url?: string | null;
            /**
             * Format: int64
             * @description How long the stream is; null if nobody has measured it
             */
            duration_ms?: number | null;
            /** @description The subtitles, each language once */
            subtitles?: components["schemas"]["Subtitle"][] | null;
        };
        /**
         * @example {
         *       "description": "A clerk travels to the castle of a count.",
         *       "poster_url": null
         *     }
         */
        UpdateMovieRequest: {
            title?: components["schemas"]["MovieTitle"];
            year?: components["schemas"]["MovieYear"];
            runtime_minutes?: components["schemas"]["MovieRuntime"];
            /** @description The description of the movie, in one or more lines; null for none */
            description?: string | null;
            /** @description All the genres, each once; null for none */
            genres?: components["schemas"]["Genre"][] | null;
            /**
             * Format: uri
             * @description The address of a poster: https, in ASCII, without a user name; null for none
             */
            poster_url?: string | null;
            /**
             * Format: uri
             * @description The address of an MP4, WebM or HLS stream: https, in ASCII, without a user name; null for none
             */
            stream_url?: string | null;
            /**
             * Format: int64
             * @description How long the stream is; null for unknown
             */
            duration_ms?: number | null;
            /** @description The subtitles, each language once; null for none */
            subtitles?: components["schemas"]["Subtitle"][] | null;
            /** @description Whether it leaves the catalogue. Rooms that have it keep it. */
            archived?: boolean;
        };
        /**
         * @description `public`: everyone finds the room in lists. `unlisted`: everyone who has the address of the room can join it.
         *     `private`: only members and invited people know of the room; for everyone else it is a 404.
         * @enum {string}
         */
        Visibility: "public" | "unlisted" | "private";
        /**
         * @example {
         *       "name": "Silent Sunday",
         *       "visibility": "public",
         *       "capacity": 10
         *     }
         */
        CreateRoomRequest: {
            name: components["schemas"]["RoomName"];
            /** @description The description of the room, in one or more lines */
            description?: string | null;
            /**
             * Format: uuid
             * @description The movie that people watch in the room
             */
            movie_id?: string | null;
            /**
             * @description Who finds the room and may join it, as in Visibility; `public` without it
             * @enum {string|null}
             */
            visibility?: "public" | "unlisted" | "private" | null;
            /**
             * @description How many people can be in the room at once, the host included
             * @default 50
             */
            capacity?: number | null;
        };
        /**
         * @example {
         *       "name": "Silent Monday",
         *       "movie_id": null,
         *       "slow_mode_seconds": 5
         *     }
         */
        UpdateRoomRequest: {
            name?: components["schemas"]["RoomName"];
            /** @description The description of the room, in one or more lines; null for none */
            description?: string | null;
            /**
             * Format: uuid
             * @description The movie that people watch in the room; null for none
             */
            movie_id?: string | null;
            visibility?: components["schemas"]["Visibility"];
            /**
             * @description How many people can be in the room at once, the host included. If it is set below the number of people in
             *     the room, nobody has to leave.
             */
            capacity?: number;
            /** @description How many seconds each person waits between two messages; 0 and null end slow mode */
            slow_mode_seconds?: number | null;
            /** @description The people who can send playback commands */
            control?: components["schemas"]["AccessLevel"];
            /** @description The people who can add items to the queue */
            queue?: components["schemas"]["AccessLevel"];
            queue_order?: components["schemas"]["QueueOrder"];
            wait_policy?: components["schemas"]["WaitPolicy"];
            now_playing?: components["schemas"]["ShowsNowPlaying"];
            state?: components["schemas"]["RoomState"];
        };
        /**
         * @description `host`: only the host. `moderators`: the host and the moderators. `everyone`: everyone in the room.
         * @enum {string}
         */
        AccessLevel: "host" | "moderators" | "everyone";
        /**
         * @description `manual`: in the order in which people arranged the items. `votes`: the item with the most votes first.
         * @enum {string}
         */
        QueueOrder: "manual" | "votes";
        /**
         * @description The people for whose players the room waits. `everyone`: all people with a live connection. `host`: the host
         *     alone. `nobody`: no one. `auto`: everyone while at most 8 people are connected, otherwise nobody.
         * @enum {string}
         */
        WaitPolicy: "auto" | "everyone" | "host" | "nobody";
        /**
         * @description The state of playback. `idle`: nothing is loaded. `waiting`: playback rests until people are ready, or until the
         *     wait ends. `playing`: the position moves on. `paused`: playback rests.
         * @enum {string}
         */
        PlaybackStatus: "idle" | "waiting" | "playing" | "paused";
        /**
         * @description The state of playback in a room
         * @example {
         *       "revision": 41,
         *       "epoch": 7,
         *       "cue": 19,
         *       "state": "waiting",
         *       "item": {
         *         "id": "01993f7e-0a1b-7c2d-8e3f-405162738495",
         *         "movie_id": null,
         *         "title": "Nosferatu",
         *         "stream_url": "https://movies.example/nosferatu.webm",
         *         "subtitles": [
         *           {
         *             "language": "de",
         *             "url": "https://movies.example/nosferatu.de.vtt"
         *           }
         *         ],
         *         "duration_ms": 5640123,
         *         "duration_exact": true
         *       },
         *       "position_ms": 1234567,
         *       "at": "2026-01-31T20:15:00.123456Z",
         *       "rate": 1,
         *       "wait": {
         *         "reason": "seek",
         *         "until": "2026-01-31T20:15:08.123456Z",
         *         "then_play": true,
         *         "people": [
         *           {
         *             "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "username": "dave",
         *             "display_name": "Dave",
         *             "avatar": {
         *               "default": true,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *             }
         *           }
         *         ]
         *       },
         *       "ends_at": null,
         *       "starts_at": null,
         *       "cause": "seek",
         *       "by": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "skip_votes": 0,
         *       "queue_version": 3,
         *       "now": "2026-01-31T20:15:02.5Z"
         *     }
         */
        Playback: {
            /**
             * Format: int64
             * @description Rises by one with each change, and with each command that is applied, even if it changes nothing else
             */
            revision: number;
            /**
             * Format: int64
             * @description Rises each time an item is loaded, also if it is the same item again
             */
            epoch: number;
            /**
             * Format: int64
             * @description Rises with each load and seek; players report for which cue they are ready
             */
            cue: number;
            state: components["schemas"]["PlaybackStatus"];
            /** @description The item that is loaded; null when idle */
            item: components["schemas"]["PlaybackItem"] | null;
            /**
             * Format: int64
             * @description Where playback is at `at`, in milliseconds
             */
            position_ms: number;
            /**
             * Format: date-time
             * @description The time at which playback is at `position_ms`. Before this time, the position does not move.
             */
            at: string;
            /** @description How fast it plays; 1 is the normal rate */
            rate: number;
            /** @description The wait of the room; null unless `state` is `waiting` */
            wait: components["schemas"]["PlaybackWait"] | null;
            /**
             * Format: date-time
             * @description When the item is over; null unless it plays and its length is known
             */
            ends_at: string | null;
            /**
             * Format: date-time
             * @description When it starts by itself; null if it does not
             */
            starts_at: string | null;
            /**
             * @description What changed the state: a command (`play`, `pause`, `seek`, `rate`, `load`, `skip`, `stop`), or `ready`
             *     (everybody is), `deadline` (of a wait), `rebuffer` (somebody ran out of data), `ended` (the item is over),
             *     `voted` (to skip it), `removed` (from the queue), `deserted` (nobody was connected), `archived` (the room
             *     was), `scheduled`, `unscheduled` (it starts by itself, and no longer), `started` (as scheduled), `duration`
             *     (the length of the item was learnt), `clock` (the database's was set). Null in a room that has never played
             *     anything.
             * @enum {string|null}
             */
            cause: "play" | "pause" | "seek" | "rate" | "load" | "skip" | "stop" | "ready" | "deadline" | "rebuffer" | "ended" | "voted" | "removed" | "deserted" | "archived" | "scheduled" | "unscheduled" | "started" | "duration" | "clock" | null;
            /** @description The person whose command changed the state; null if it changed by itself, and when the account is deleted */
            by: components["schemas"]["Person"] | null;
            /** @description The number of present people who have voted to skip the item */
            skip_votes: number;
            /**
             * Format: int64
             * @description Counts the changes of the queue and of its votes
             */
            queue_version: number;
            /**
             * Format: date-time
             * @description The time when the state was read, by the clock of `at`
             */
            now: string;
        };
        /** @description The item that is loaded */
        PlaybackItem: {
            id: components["schemas"]["ID"];
            /**
             * Format: uuid
             * @description The movie; null for an address of the room's own
             */
            movie_id: string | null;
            /**
             * @description The title of the movie, or of the address; empty while the content of the person who added the address is
             *     hidden
             */
            title: string;
            /**
             * Format: uri
             * @description Where the stream is; it starts with https://. Null if the movie has lost it.
             */
            stream_url: string | null;
            /** @description The subtitles of the movie */
            subtitles: components["schemas"]["Subtitle"][];
            /**
             * Format: int64
             * @description The length of the item in milliseconds; null when it is not known
             */
            duration_ms: number | null;
            /** @description Whether `duration_ms` was measured; otherwise it is the runtime of the movie plus one minute */
            duration_exact: boolean;
        };
        /** @description The wait of a room for players */
        PlaybackWait: {
            /**
             * @description Why the room waits: an item was loaded, or was moved to another position, or the player of somebody ran out of data
             * @enum {string}
             */
            reason: "load" | "seek" | "rebuffer";
            /**
             * Format: date-time
             * @description When the wait ends at the latest
             */
            until: string;
            /** @description Whether the room plays after that; otherwise it is paused */
            then_play: boolean;
            /** @description The people whose players are not ready */
            people: components["schemas"]["Person"][];
        };
        /**
         * @example {
         *       "data": {
         *         "revision": 41,
         *         "epoch": 7,
         *         "cue": 19,
         *         "state": "waiting",
         *         "item": {
         *           "id": "01993f7e-0a1b-7c2d-8e3f-405162738495",
         *           "movie_id": null,
         *           "title": "Nosferatu",
         *           "stream_url": "https://movies.example/nosferatu.webm",
         *           "subtitles": [
         *             {
         *               "language": "de",
         *               "url": "https://movies.example/nosferatu.de.vtt"
         *             }
         *           ],
         *           "duration_ms": 5640123,
         *           "duration_exact": true
         *         },
         *         "position_ms": 1234567,
         *         "at": "2026-01-31T20:15:00.123456Z",
         *         "rate": 1,
         *         "wait": {
         *           "reason": "seek",
         *           "until": "2026-01-31T20:15:08.123456Z",
         *           "then_play": true,
         *           "people": [
         *             {
         *               "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *               "username": "dave",
         *               "display_name": "Dave",
         *               "avatar": {
         *                 "default": true,
         *                 "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *                 "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *                 "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *                 "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *               }
         *             }
         *           ]
         *         },
         *         "ends_at": null,
         *         "starts_at": null,
         *         "cause": "seek",
         *         "by": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "skip_votes": 0,
         *         "queue_version": 3,
         *         "now": "2026-01-31T20:15:02.5Z"
         *       }
         *     }
         */
        PlaybackAnswer: {
            data: components["schemas"]["Playback"];
        };
        /**
         * @example {
         *       "kind": "seek",
         *       "id": "01993f7e-0a1b-7c2d-8e3f-405162738497",
         *       "epoch": 7,
         *       "revision": 41,
         *       "position_ms": 90000
         *     }
         */
        PlaybackCommand: {
            /**
             * @description What to do. `play`, `skip` and `stop` need nothing else, `seek` needs `position_ms`, `rate` needs `rate`, and
             *     `load` exactly one of `item_id`, `movie_id` and `stream_url`; `load` may have `title` and `position_ms`, and
             *     `pause` `position_ms`.
             * @enum {string}
             */
            kind: "play" | "pause" | "seek" | "rate" | "load" | "skip" | "stop";
            id: components["schemas"]["ID"];
            /**
             * Format: int64
             * @description The epoch of the state that the person saw
             */
            epoch: number;
            /**
             * Format: int64
             * @description The revision of the state that the person saw
             */
            revision?: number | null;
            /**
             * Format: int64
             * @description Refuse the command with a 409 `playback_stale` unless this is the current revision
             */
            if_revision?: number | null;
            /**
             * Format: int64
             * @description For `seek`; for `load` where to begin, for `pause` where the person was
             */
            position_ms?: number | null;
            /** @description For `rate`: how fast to play; 1 is the normal rate. Rounded to 0.01 */
            rate?: number | null;
            /**
             * Format: uuid
             * @description For `load`: an item of the queue
             */
            item_id?: string | null;
            /**
             * Format: uuid
             * @description For `load`: a movie
             */
            movie_id?: string | null;
            /**
             * Format: uri
             * @description The address of an MP4, WebM or HLS stream: https, in ASCII, without a user name. The service does not check
             *     what is there.
             */
            stream_url?: string | null;
            /** @description The title of the stream at `stream_url`, in one line. Without a title, the name of the file is shown. */
            title?: string | null;
        };
        /**
         * @example {
         *       "data": {
         *         "revision": 41,
         *         "replayed": false,
         *         "playback": {
         *           "revision": 41,
         *           "epoch": 7,
         *           "cue": 19,
         *           "state": "waiting",
         *           "item": {
         *             "id": "01993f7e-0a1b-7c2d-8e3f-405162738495",
         *             "movie_id": null,
         *             "title": "Nosferatu",
         *             "stream_url": "https://movies.example/nosferatu.webm",
         *             "subtitles": [
         *               {
         *                 "language": "de",
         *                 "url": "https://movies.example/nosferatu.de.vtt"
         *               }
         *             ],
         *             "duration_ms": 5640123,
         *             "duration_exact": true
         *           },
         *           "position_ms": 1234567,
         *           "at": "2026-01-31T20:15:00.123456Z",
         *           "rate": 1,
         *           "wait": {
         *             "reason": "seek",
         *             "until": "2026-01-31T20:15:08.123456Z",
         *             "then_play": true,
         *             "people": [
         *               {
         *                 "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *                 "username": "dave",
         *                 "display_name": "Dave",
         *                 "avatar": {
         *                   "default": true,
         *                   "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *                   "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *                   "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *                   "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *                 }
         *               }
         *             ]
         *           },
         *           "ends_at": null,
         *           "starts_at": null,
         *           "cause": "seek",
         *           "by": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "skip_votes": 0,
         *           "queue_version": 3,
         *           "now": "2026-01-31T20:15:02.5Z"
         *         }
         *       }
         *     }
         */
        PlaybackCommandAnswer: {
            data: components["schemas"]["PlaybackCommandResult"];
        };
        /** @description The effect of a command */
        PlaybackCommandResult: {
            /**
             * Format: int64
             * @description The revision after the command was applied
             */
            revision: number;
            /** @description Whether the command was applied before */
            replayed: boolean;
            playback: components["schemas"]["Playback"];
        };
        /**
         * @example {
         *       "epoch": 7,
         *       "skip": true
         *     }
         */
        SkipVote: {
            /**
             * Format: int64
             * @description The epoch of the state that the person saw
             */
            epoch: number;
            /** @description Whether to skip; false takes the vote back */
            skip: boolean;
        };
        /**
         * @description Subtitles in one language
         * @example {
         *       "language": "en",
         *       "url": "https://movies.example/nosferatu.en.vtt"
         *     }
         */
        Subtitle: {
            /** @description A BCP 47 tag, such as en or pt-BR */
            language: string;
            /**
             * Format: uri
             * @description Where a WebVTT file is; it starts with https://
             */
            url: string;
        };
        /**
         * @description An item of a queue
         * @example {
         *       "id": "01993f7e-0a1b-7c2d-8e3f-405162738496",
         *       "movie_id": null,
         *       "title": "Faust",
         *       "stream_url": "https://movies.example/faust.webm",
         *       "duration_ms": null,
         *       "added_by": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "votes": 2,
         *       "voted": false,
         *       "created_at": "2026-01-31T20:15:00Z"
         *     }
         */
        QueueItem: {
            id: components["schemas"]["ID"];
            /**
             * Format: uuid
             * @description The movie; null for an address of the room's own
             */
            movie_id: string | null;
            /**
             * @description The title of the movie, or of the address; empty while the content of the person who added the address is
             *     hidden
             */
            title: string;
            /**
             * Format: uri
             * @description Where the stream is; it starts with https://
             */
            stream_url: string;
            /**
             * Format: int64
             * @description The length of the stream in milliseconds; null when nobody has measured it
             */
            duration_ms: number | null;
            /** @description The person who added it; null when the account is deleted */
            added_by: components["schemas"]["Person"] | null;
            /** @description How many people in the room vote for it */
            votes: number;
            /** @description Whether the caller votes for it */
            voted: boolean;
            /**
             * Format: date-time
             * @description When it was added
             */
            created_at: string;
        };
        /**
         * @example {
         *       "data": {
         *         "items": [
         *           {
         *             "id": "01993f7e-0a1b-7c2d-8e3f-405162738496",
         *             "movie_id": null,
         *             "title": "Faust",
         *             "stream_url": "https://movies.example/faust.webm",
         *             "duration_ms": null,
         *             "added_by": {
         *               "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *               "username": "carol",
         *               "display_name": "Carol",
         *               "avatar": {
         *                 "default": false,
         *                 "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *                 "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *                 "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *                 "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *               }
         *             },
         *             "votes": 2,
         *             "voted": false,
         *             "created_at": "2026-01-31T20:15:00Z"
         *           }
         *         ],
         *         "version": 3
         *       }
         *     }
         */
        QueueAnswer: {
            data: components["schemas"]["Queue"];
        };
        /** @description The queue of a room */
        Queue: {
            /** @description The items, in the order in which they are played */
            items: components["schemas"]["QueueItem"][];
            /**
             * Format: int64
             * @description The `queue_version` of the playback
             */
            version: number;
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f7e-0a1b-7c2d-8e3f-405162738496",
         *         "movie_id": null,
         *         "title": "Faust",
         *         "stream_url": "https://movies.example/faust.webm",
         *         "duration_ms": null,
         *         "added_by": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "votes": 2,
         *         "voted": false,
         *         "created_at": "2026-01-31T20:15:00Z"
         *       }
         *     }
         */
        QueueItemAnswer: {
            data: components["schemas"]["QueueItem"];
        };
        /**
         * @description Either a movie or an address
         * @example {
         *       "stream_url": "https://movies.example/faust.webm",
         *       "title": "Faust"
         *     }
         */
        AddToQueueRequest: {
            /**
             * Format: uuid
             * @description A movie of the catalogue
             */
            movie_id?: string | null;
            /**
             * Format: uri
             * @description The address of an MP4, WebM or HLS stream: https, in ASCII, without a user name. The service does not check
             *     what is there.
             */
            stream_url?: string | null;
            /** @description The title of the stream at `stream_url`, in one line. Without a title, the name of the file is shown. */
            title?: string | null;
        };
        /**
         * @example {
         *       "before_id": "01993f7e-0a1b-7c2d-8e3f-405162738496"
         *     }
         */
        MoveInQueueRequest: {
            /**
             * Format: uuid
             * @description The item before which to put it; without it, the end
             */
            before_id?: string | null;
        };
        /**
         * @description An `archived` room can be read, and nothing new happens in it.
         * @enum {string}
         */
        RoomState: "open" | "archived";
        /**
         * @description The role of a person in a room. `host`: runs the room, and has all permissions. `moderator`: moderates people,
         *     messages, the queue and parties. `viewer`: everyone else. The settings `control` and `queue` of the room extend
         *     or limit the last two. `GET /rooms/{room_id}/me` lists the permissions of the caller.
         * @enum {string}
         */
        Role: "host" | "moderator" | "viewer";
        /**
         * @description An account, as it is shown beside its acts. A deleted account is null instead, in all answers but the audit log.
         * @example {
         *       "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *       "username": "carol",
         *       "display_name": "Carol",
         *       "avatar": {
         *         "default": false,
         *         "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *         "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *         "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *         "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *       }
         *     }
         */
        Person: {
            id: components["schemas"]["ID"];
            username: components["schemas"]["Username"];
            display_name: components["schemas"]["DisplayName"];
            avatar: components["schemas"]["AvatarURLs"];
        };
        /**
         * @description The movie of a room, in short
         * @example {
         *       "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *       "title": "Nosferatu",
         *       "year": 1922,
         *       "runtime_minutes": 94,
         *       "poster_url": "https://movies.example/nosferatu.jpg"
         *     }
         */
        RoomMovie: {
            id: components["schemas"]["ID"];
            title: components["schemas"]["MovieTitle"];
            year: components["schemas"]["MovieYear"];
            runtime_minutes: components["schemas"]["MovieRuntime"];
            /**
             * Format: uri
             * @description Where a poster is; null without one
             */
            poster_url: string | null;
        };
        /** @description How many people in the room were seen within the last 90 seconds */
        Present: number;
        /**
         * @description Whether `GET /rooms/{room_id}/now-playing` tells everyone what the room plays; without effect while it is
         *     private
         */
        ShowsNowPlaying: boolean;
        /**
         * @description The public view of what a room plays now
         * @example {
         *       "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *       "state": "playing",
         *       "title": "Nosferatu",
         *       "movie": {
         *         "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *         "title": "Nosferatu",
         *         "year": 1922,
         *         "runtime_minutes": 94,
         *         "poster_url": "https://movies.example/nosferatu.jpg"
         *       },
         *       "position_ms": 1320000,
         *       "at": "2026-01-31T20:15:00Z",
         *       "rate": 1,
         *       "duration_ms": 5640123,
         *       "present": 1
         *     }
         */
        NowPlaying: {
            room_id: components["schemas"]["ID"];
            state: components["schemas"]["PlaybackStatus"];
            /** @description The title of the loaded item, empty while the content of the person who added it is hidden; null when idle */
            title: string | null;
            /** @description The movie of the catalogue; null when idle, and for an address of the room's own */
            movie: components["schemas"]["RoomMovie"] | null;
            /**
             * Format: int64
             * @description Where playback is at `at`, in milliseconds
             */
            position_ms: number;
            /**
             * Format: date-time
             * @description The time at which playback is at `position_ms`. Before this time, the position does not move.
             */
            at: string;
            /** @description How fast it plays; 1 is the normal rate */
            rate: number;
            /**
             * Format: int64
             * @description The length of the item in milliseconds; null when it is not known
             */
            duration_ms: number | null;
            present: components["schemas"]["Present"];
        };
        /**
         * @description A room, the same for everyone who may see it
         * @example {
         *       "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *       "name": "Silent Sunday",
         *       "description": "A silent movie every Sunday.",
         *       "movie": {
         *         "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *         "title": "Nosferatu",
         *         "year": 1922,
         *         "runtime_minutes": 94,
         *         "poster_url": "https://movies.example/nosferatu.jpg"
         *       },
         *       "host": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "visibility": "public",
         *       "capacity": 10,
         *       "participants": 2,
         *       "present": 1,
         *       "slow_mode_seconds": 0,
         *       "control": "moderators",
         *       "queue": "everyone",
         *       "queue_order": "manual",
         *       "wait_policy": "auto",
         *       "now_playing": true,
         *       "next_party": {
         *         "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *         "starts_at": "2026-02-01T19:30:00Z",
         *         "title": "Second part"
         *       },
         *       "state": "open",
         *       "closed": false,
         *       "created_at": "2026-01-31T19:00:00Z",
         *       "updated_at": "2026-01-31T19:00:00Z"
         *     }
         */
        Room: {
            id: components["schemas"]["ID"];
            name: components["schemas"]["RoomName"];
            description: components["schemas"]["RoomDescription"];
            /** @description The movie that people watch in it; null without one */
            movie: components["schemas"]["RoomMovie"] | null;
            /** @description The person who runs the room; null when the room is archived and the account of its host is deleted */
            host: components["schemas"]["Person"] | null;
            visibility: components["schemas"]["Visibility"];
            capacity: components["schemas"]["RoomCapacity"];
            /** @description The number of people who are in the room now, present or not */
            participants: number;
            present: components["schemas"]["Present"];
            slow_mode_seconds: components["schemas"]["SlowModeSeconds"];
            /** @description The people who can send playback commands */
            control: components["schemas"]["AccessLevel"];
            /** @description The people who can add items to the queue */
            queue: components["schemas"]["AccessLevel"];
            queue_order: components["schemas"]["QueueOrder"];
            wait_policy: components["schemas"]["WaitPolicy"];
            now_playing: components["schemas"]["ShowsNowPlaying"];
            /** @description The party that starts next; null without one */
            next_party: components["schemas"]["NextParty"] | null;
            state: components["schemas"]["RoomState"];
            /** @description Whether an admin closed it: it is archived, and its host cannot open it again */
            closed: boolean;
            /**
             * Format: date-time
             * @description When it was opened
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When its properties last changed
             */
            updated_at: string;
        };
        /**
         * @description A room, with the caller's role in it
         * @example {
         *       "role": "host",
         *       "joined": true,
         *       "unread": 3,
         *       "last_message_at": "2026-01-31T20:15:00Z",
         *       "room": {
         *         "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "name": "Silent Sunday",
         *         "description": "A silent movie every Sunday.",
         *         "movie": {
         *           "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *           "title": "Nosferatu",
         *           "year": 1922,
         *           "runtime_minutes": 94,
         *           "poster_url": "https://movies.example/nosferatu.jpg"
         *         },
         *         "host": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "visibility": "public",
         *         "capacity": 10,
         *         "participants": 2,
         *         "present": 1,
         *         "slow_mode_seconds": 0,
         *         "control": "moderators",
         *         "queue": "everyone",
         *         "queue_order": "manual",
         *         "wait_policy": "auto",
         *         "now_playing": true,
         *         "next_party": {
         *           "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *           "starts_at": "2026-02-01T19:30:00Z",
         *           "title": "Second part"
         *         },
         *         "state": "open",
         *         "closed": false,
         *         "created_at": "2026-01-31T19:00:00Z",
         *         "updated_at": "2026-01-31T19:00:00Z"
         *       }
         *     }
         */
        MyRoom: {
            role: components["schemas"]["Role"];
            /** @description Whether the caller is in it now */
            joined: boolean;
            /**
             * @description How many messages of others came after the one that the caller marked as read; 100 stands for 100 and more.
             *     All count when none was marked. Deleted messages do not count.
             */
            unread: number;
            /**
             * Format: date-time
             * @description When the latest message was posted; null without messages
             */
            last_message_at: string | null;
            room: components["schemas"]["Room"];
        };
        /**
         * @description The caller's role and permissions in a room
         * @example {
         *       "role": "viewer",
         *       "joined": true,
         *       "muted_until": null,
         *       "permissions": [
         *         "post_message",
         *         "add_to_queue",
         *         "vote"
         *       ]
         *     }
         */
        Standing: {
            role: components["schemas"]["Role"];
            /** @description Whether the caller is in it now */
            joined: boolean;
            /**
             * Format: date-time
             * @description When the caller's mute ends; null without one
             */
            muted_until: string | null;
            /**
             * @description What the caller may do now: what the role allows, without `post_message`, `control_playback`, `edit_queue`,
             *     `add_to_queue` and `schedule_party` during a mute
             */
            permissions: components["schemas"]["Permission"][];
        };
        /**
         * @description A permission in a room. Acts on another person also need a role above theirs.
         *
         *     * `post_message`: post messages
         *     * `skip_slow_mode`: post without waiting in slow mode
         *     * `delete_message`: delete messages of people with lower roles
         *     * `kick`: remove people with lower roles from the room
         *     * `mute`: mute people with lower roles, list and lift mutes
         *     * `ban`: ban people with lower roles, list and lift bans
         *     * `invite`: invite, list and revoke invitations
         *     * `edit_room`: change, archive and reopen the room
         *     * `delete_room`: delete the room
         *     * `set_role`: make people moderators or viewers
         *     * `hand_over`: hand the room over
         *     * `read_log`: read the room's log
         *     * `control_playback`: play, pause, seek, load, skip, set the rate
         *     * `edit_queue`: move items of the queue, remove other people's items, play a stream by its address
         *     * `add_to_queue`: add items to the queue, remove one's own items
         *     * `vote`: vote for items of the queue, and to skip
         *     * `schedule_party`: schedule parties, change and cancel them
         * @enum {string}
         */
        Permission: "post_message" | "skip_slow_mode" | "delete_message" | "kick" | "mute" | "ban" | "invite" | "edit_room" | "delete_room" | "set_role" | "hand_over" | "read_log" | "control_playback" | "edit_queue" | "add_to_queue" | "vote" | "schedule_party";
        /**
         * @description A person in a room
         * @example {
         *       "user": {
         *         "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *         "username": "dave",
         *         "display_name": "Dave",
         *         "avatar": {
         *           "default": true,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *         }
         *       },
         *       "role": "viewer",
         *       "present": true,
         *       "muted_until": null,
         *       "joined_at": "2026-01-31T19:55:00Z",
         *       "last_seen_at": "2026-01-31T20:15:00Z"
         *     }
         */
        Participant: {
            user: components["schemas"]["Person"];
            role: components["schemas"]["Role"];
            /** @description Whether they were seen within the last 90 seconds */
            present: boolean;
            /**
             * Format: date-time
             * @description When their mute ends; null without one
             */
            muted_until: string | null;
            /**
             * Format: date-time
             * @description When they joined
             */
            joined_at: string;
            /**
             * Format: date-time
             * @description When they last sent a heartbeat or a message
             */
            last_seen_at: string;
        };
        /**
         * @example {
         *       "role": "moderator"
         *     }
         */
        SetRoleRequest: {
            role: components["schemas"]["Role"];
        };
        /** @description The reason, in one line, for those who moderate the room; empty without one */
        Reason: string;
        /** @description The reason, in one line, for those who moderate the room */
        OptionalReason: string | null;
        /**
         * @example {
         *       "username": "dave",
         *       "until": "2026-02-07T20:15:00Z",
         *       "reason": "Advertisements in every message"
         *     }
         */
        BanRequest: {
            username: components["schemas"]["Username"];
            /**
             * Format: date-time
             * @description When the ban ends by itself, in the future and at most 10 years from now; without it, never
             */
            until?: string | null;
            reason?: components["schemas"]["OptionalReason"];
        };
        /**
         * @description A ban from a room
         * @example {
         *       "user": {
         *         "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *         "username": "dave",
         *         "display_name": "Dave",
         *         "avatar": {
         *           "default": true,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *         }
         *       },
         *       "banned_by": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "reason": "Advertisements in every message",
         *       "until": "2026-02-07T20:15:00Z",
         *       "created_at": "2026-01-31T20:15:00Z"
         *     }
         */
        Ban: {
            user: components["schemas"]["Person"];
            /** @description The person who imposed it; null when the account is deleted */
            banned_by: components["schemas"]["Person"] | null;
            reason: components["schemas"]["Reason"];
            /**
             * Format: date-time
             * @description When it ends by itself; null for never
             */
            until: string | null;
            /**
             * Format: date-time
             * @description When it was imposed
             */
            created_at: string;
        };
        /**
         * @example {
         *       "username": "dave",
         *       "until": "2026-01-31T22:00:00Z",
         *       "reason": "Tells how the movie ends"
         *     }
         */
        MuteRequest: {
            username: components["schemas"]["Username"];
            /**
             * Format: date-time
             * @description When the mute ends, at most 30 days from now
             */
            until: string;
            reason?: components["schemas"]["OptionalReason"];
        };
        /**
         * @description A mute in a room
         * @example {
         *       "user": {
         *         "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *         "username": "dave",
         *         "display_name": "Dave",
         *         "avatar": {
         *           "default": true,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *         }
         *       },
         *       "muted_by": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "reason": "Tells how the movie ends",
         *       "until": "2026-01-31T22:00:00Z",
         *       "created_at": "2026-01-31T20:15:00Z"
         *     }
         */
        Mute: {
            user: components["schemas"]["Person"];
            /** @description The person who imposed it; null when the account is deleted */
            muted_by: components["schemas"]["Person"] | null;
            reason: components["schemas"]["Reason"];
            /**
             * Format: date-time
             * @description When it ends by itself
             */
            until: string;
            /**
             * Format: date-time
             * @description When it was imposed
             */
            created_at: string;
        };
        /**
         * @description An act in a room. `room_updated`: the host changed settings. `room_archived`, `room_reopened`: the host archived
         *     or reopened the room, or an admin reopened it. `room_closed`: an admin closed it. `role_set`: the host set a
         *     role. `host_handed_over`: the host made another person the host. `host_succeeded`: another person became the
         *     host by the rules. `kicked`, `banned`, `ban_lifted`, `muted`, `mute_lifted`, `message_deleted`: acts of
         *     moderation. `invited`, `invitation_revoked`, `invitation_accepted`: acts on an invitation. `played`, `paused`,
         *     `sought`, `rate_set`, `loaded`, `skipped`, `stopped`: playback commands; `skipped` without an actor is by
         *     votes. `queue_added`, `queue_removed`, `queue_moved`: acts on an item of the queue. `party_scheduled`,
         *     `party_changed`, `party_cancelled`: acts on a party.
         * @enum {string}
         */
        RoomAction: "room_updated" | "room_archived" | "room_reopened" | "room_closed" | "role_set" | "host_handed_over" | "host_succeeded" | "kicked" | "banned" | "ban_lifted" | "muted" | "mute_lifted" | "message_deleted" | "invited" | "invitation_revoked" | "invitation_accepted" | "played" | "paused" | "sought" | "rate_set" | "loaded" | "skipped" | "stopped" | "queue_added" | "queue_removed" | "queue_moved" | "party_scheduled" | "party_changed" | "party_cancelled";
        /**
         * @description An entry of a room's log
         * @example {
         *       "id": "01993f74-5f60-7182-93a4-b5c6d7e8f90a",
         *       "action": "muted",
         *       "actor": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "target": {
         *         "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *         "username": "dave",
         *         "display_name": "Dave",
         *         "avatar": {
         *           "default": true,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *         }
         *       },
         *       "details": {
         *         "until": "2026-01-31T22:00:00Z",
         *         "reason": "Tells how the movie ends"
         *       },
         *       "created_at": "2026-01-31T20:15:00Z"
         *     }
         */
        RoomAct: {
            id: components["schemas"]["ID"];
            action: components["schemas"]["RoomAction"];
            /**
             * @description The person who did it; null when the account is deleted, when it happened by itself, and when an admin of
             *     the service did it
             */
            actor: components["schemas"]["Person"] | null;
            /** @description The person it was done to; null when the account is deleted, and when it was done to nobody */
            target: components["schemas"]["Person"] | null;
            details: components["schemas"]["ActDetails"];
            /**
             * Format: date-time
             * @description When it was done
             */
            created_at: string;
        };
        /**
         * @description The state of a party. `scheduled`: it starts by itself at its time. `started`: it has started. `cancelled`:
         *     somebody cancelled it, or its room was archived, closed or deleted. `missed`: it did not start within 15
         *     minutes, because there was nothing to play or the service was down.
         * @enum {string}
         */
        PartyState: "scheduled" | "started" | "cancelled" | "missed";
        /**
         * @description Whether a person comes: `yes`, `maybe` or `no`. People with `yes` or `maybe` get emails about the party.
         * @enum {string}
         */
        PartyReply: "yes" | "maybe" | "no";
        /** @description The title of the party, in one line; empty without one */
        PartyTitle: string;
        /**
         * @description The name of an IANA time zone, such as `Europe/Berlin`. Emails show the start in this zone. Another zone does
         *     not move the start.
         */
        PartyTimeZone: string;
        /**
         * @description A time at which a room watches together
         * @example {
         *       "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *       "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *       "room_name": "Silent Sunday",
         *       "title": "Second part",
         *       "movie": {
         *         "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *         "title": "Nosferatu",
         *         "year": 1922,
         *         "runtime_minutes": 94,
         *         "poster_url": "https://movies.example/nosferatu.jpg"
         *       },
         *       "starts_at": "2026-02-01T19:30:00Z",
         *       "time_zone": "Europe/Berlin",
         *       "state": "scheduled",
         *       "scheduled_by": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "answers": {
         *         "yes": 3,
         *         "maybe": 1,
         *         "no": 0
         *       },
         *       "my_answer": "maybe",
         *       "created_at": "2026-01-31T19:00:00Z",
         *       "updated_at": "2026-01-31T19:00:00Z"
         *     }
         */
        Party: {
            id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            room_name: components["schemas"]["RoomName"];
            title: components["schemas"]["PartyTitle"];
            /** @description The movie of the party; null for the item that is loaded at that time, or else the first item of the queue */
            movie: components["schemas"]["RoomMovie"] | null;
            /**
             * Format: date-time
             * @description When it starts by itself
             */
            starts_at: string;
            time_zone: components["schemas"]["PartyTimeZone"];
            state: components["schemas"]["PartyState"];
            /** @description The person who scheduled it; null when the account is deleted */
            scheduled_by: components["schemas"]["Person"] | null;
            answers: components["schemas"]["PartyCounts"];
            /** @description The answer of the caller; null without an answer, and without sign-in */
            my_answer: (string & components["schemas"]["PartyReply"]) | null;
            /**
             * Format: date-time
             * @description When it was scheduled
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it last changed
             */
            updated_at: string;
        };
        /** @description The numbers of answers */
        PartyCounts: {
            /** @description The number of people who answered `yes` */
            yes: number;
            /** @description The number of people who answered `maybe` */
            maybe: number;
            /** @description The number of people who answered `no` */
            no: number;
        };
        /** @description The next party of a room */
        NextParty: {
            id: components["schemas"]["ID"];
            /**
             * Format: date-time
             * @description When it starts by itself
             */
            starts_at: string;
            title: components["schemas"]["PartyTitle"];
        };
        /**
         * @example {
         *       "title": "Second part",
         *       "starts_at": "2026-02-01T20:30:00+01:00",
         *       "time_zone": "Europe/Berlin"
         *     }
         */
        SchedulePartyRequest: {
            /** @description The title of the party, in one line */
            title?: string | null;
            /**
             * Format: uuid
             * @description A movie with a stream; without it, the item that is loaded at the start, or else the first item of the queue
             */
            movie_id?: string | null;
            /**
             * Format: date-time
             * @description When it starts: 10 minutes to 366 days ahead, to the millisecond
             */
            starts_at: string;
            time_zone: components["schemas"]["PartyTimeZone"];
        };
        /**
         * @example {
         *       "starts_at": "2026-02-01T21:00:00+01:00"
         *     }
         */
        UpdatePartyRequest: {
            /** @description The title of the party, in one line; null for none */
            title?: string | null;
            /**
             * Format: uuid
             * @description A movie with a stream; null for the item that is loaded at the start, or else the first item of the queue
             */
            movie_id?: string | null;
            /**
             * Format: date-time
             * @description When it starts: 10 minutes to 366 days ahead, to the millisecond
             */
            starts_at?: string;
            time_zone?: components["schemas"]["PartyTimeZone"];
        };
        /**
         * @example {
         *       "answer": "yes"
         *     }
         */
        AnswerPartyRequest: {
            answer: components["schemas"]["PartyReply"];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *         "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "room_name": "Silent Sunday",
         *         "title": "Second part",
         *         "movie": {
         *           "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *           "title": "Nosferatu",
         *           "year": 1922,
         *           "runtime_minutes": 94,
         *           "poster_url": "https://movies.example/nosferatu.jpg"
         *         },
         *         "starts_at": "2026-02-01T19:30:00Z",
         *         "time_zone": "Europe/Berlin",
         *         "state": "scheduled",
         *         "scheduled_by": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "answers": {
         *           "yes": 3,
         *           "maybe": 1,
         *           "no": 0
         *         },
         *         "my_answer": "maybe",
         *         "created_at": "2026-01-31T19:00:00Z",
         *         "updated_at": "2026-01-31T19:00:00Z"
         *       }
         *     }
         */
        PartyAnswer: {
            data: components["schemas"]["Party"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "room_name": "Silent Sunday",
         *           "title": "Second part",
         *           "movie": {
         *             "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *             "title": "Nosferatu",
         *             "year": 1922,
         *             "runtime_minutes": 94,
         *             "poster_url": "https://movies.example/nosferatu.jpg"
         *           },
         *           "starts_at": "2026-02-01T19:30:00Z",
         *           "time_zone": "Europe/Berlin",
         *           "state": "scheduled",
         *           "scheduled_by": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "answers": {
         *             "yes": 3,
         *             "maybe": 1,
         *             "no": 0
         *           },
         *           "my_answer": "maybe",
         *           "created_at": "2026-01-31T19:00:00Z",
         *           "updated_at": "2026-01-31T19:00:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        PartyList: {
            /** @description The parties */
            data: components["schemas"]["Party"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @description A person who has answered
         * @example {
         *       "user": {
         *         "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *         "username": "dave",
         *         "display_name": "Dave",
         *         "avatar": {
         *           "default": true,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *         }
         *       },
         *       "answer": "yes",
         *       "answered_at": "2026-01-31T20:15:00Z"
         *     }
         */
        PartyGuest: {
            user: components["schemas"]["Person"];
            answer: components["schemas"]["PartyReply"];
            /**
             * Format: date-time
             * @description When the person answered for the first time
             */
            answered_at: string;
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "user": {
         *             "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "username": "dave",
         *             "display_name": "Dave",
         *             "avatar": {
         *               "default": true,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *             }
         *           },
         *           "answer": "yes",
         *           "answered_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        PartyGuestList: {
            /** @description The people of this page */
            data: components["schemas"]["PartyGuest"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /** @description A party that the account scheduled */
        ExportedParty: {
            id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            title: components["schemas"]["PartyTitle"];
            /**
             * Format: uuid
             * @description The movie; null without one
             */
            movie_id: string | null;
            /**
             * Format: date-time
             * @description When it starts
             */
            starts_at: string;
            time_zone: components["schemas"]["PartyTimeZone"];
            state: components["schemas"]["PartyState"];
            /**
             * Format: date-time
             * @description When it was scheduled
             */
            created_at: string;
        };
        /** @description An answer of the account to a party */
        ExportedPartyAnswer: {
            party_id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            answer: components["schemas"]["PartyReply"];
            /**
             * Format: date-time
             * @description When it was given
             */
            created_at: string;
        };
        /**
         * @description The state of an invitation. `open`: it can be accepted or declined. `accepted`, `declined`: the invited person
         *     did this. `revoked`: the inviter, the host or a moderator revoked it, or the inviter may not invite any more.
         *     `expired`: nobody answered within 7 days.
         * @enum {string}
         */
        InvitationState: "open" | "accepted" | "declined" | "revoked" | "expired";
        /**
         * @description An invitation to a room
         * @example {
         *       "id": "01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *       "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *       "email": "erin@example.org",
         *       "state": "open",
         *       "delivery": {
         *         "state": "sending",
         *         "reason": "mailbox_full"
         *       },
         *       "inviter": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "expires_at": "2026-02-07T20:15:00Z",
         *       "answered_at": null,
         *       "created_at": "2026-01-31T20:15:00Z"
         *     }
         */
        Invitation: {
            id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            /**
             * Format: email
             * @description The address that was invited; null for everyone but the inviter
             */
            email: string | null;
            state: components["schemas"]["InvitationState"];
            /** @description The state of its email; null when the record was deleted */
            delivery: components["schemas"]["InvitationDelivery"] | null;
            /** @description The person who sent it; null when the account is deleted */
            inviter: components["schemas"]["Person"] | null;
            /**
             * Format: date-time
             * @description When it expires
             */
            expires_at: string;
            /**
             * Format: date-time
             * @description When it was accepted, declined or revoked; null before that
             */
            answered_at: string | null;
            /**
             * Format: date-time
             * @description When it was sent
             */
            created_at: string;
        };
        /** @description The state of the email with an invitation */
        InvitationDelivery: {
            /**
             * @description The state of the email. An email to an address that has unsubscribed counts as `sent`, so that inviters do
             *     not learn of it. After `failed` no further attempt is made, and the same address can be invited again.
             */
            state: string & components["schemas"]["EmailState"];
            /** @description Why it was not sent or, while it is still tried, why the last attempt failed; null otherwise */
            reason: (string & components["schemas"]["EmailReason"]) | null;
        };
        /**
         * @description An invitation, as it is shown to whoever has its token
         * @example {
         *       "email": "erin@example.org",
         *       "room": {
         *         "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "name": "Silent Sunday",
         *         "description": "A silent movie every Sunday.",
         *         "movie": {
         *           "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *           "title": "Nosferatu",
         *           "year": 1922,
         *           "runtime_minutes": 94,
         *           "poster_url": "https://movies.example/nosferatu.jpg"
         *         },
         *         "participants": 2,
         *         "present": 1
         *       },
         *       "inviter": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "expires_at": "2026-02-07T20:15:00Z"
         *     }
         */
        InvitationPreview: {
            email: components["schemas"]["EmailAddress"];
            room: components["schemas"]["InvitedRoom"];
            inviter: components["schemas"]["Person"];
            /**
             * Format: date-time
             * @description When it expires
             */
            expires_at: string;
        };
        /**
         * @description A room, as it is shown to somebody who is invited
         * @example {
         *       "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *       "name": "Silent Sunday",
         *       "description": "A silent movie every Sunday.",
         *       "movie": {
         *         "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *         "title": "Nosferatu",
         *         "year": 1922,
         *         "runtime_minutes": 94,
         *         "poster_url": "https://movies.example/nosferatu.jpg"
         *       },
         *       "participants": 2,
         *       "present": 1
         *     }
         */
        InvitedRoom: {
            id: components["schemas"]["ID"];
            name: components["schemas"]["RoomName"];
            description: components["schemas"]["RoomDescription"];
            /** @description The movie that people watch in it; null without one */
            movie: components["schemas"]["RoomMovie"] | null;
            /** @description The number of people who are in the room now, present or not */
            participants: number;
            present: components["schemas"]["Present"];
        };
        /**
         * @description An open invitation of the caller
         * @example {
         *       "id": "01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *       "room": {
         *         "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "name": "Silent Sunday",
         *         "description": "A silent movie every Sunday.",
         *         "movie": {
         *           "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *           "title": "Nosferatu",
         *           "year": 1922,
         *           "runtime_minutes": 94,
         *           "poster_url": "https://movies.example/nosferatu.jpg"
         *         },
         *         "participants": 2,
         *         "present": 1
         *       },
         *       "inviter": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "expires_at": "2026-02-07T20:15:00Z",
         *       "created_at": "2026-01-31T20:15:00Z"
         *     }
         */
        MyInvitation: {
            id: components["schemas"]["ID"];
            room: components["schemas"]["InvitedRoom"];
            inviter: components["schemas"]["Person"];
            /**
             * Format: date-time
             * @description When it expires
             */
            expires_at: string;
            /**
             * Format: date-time
             * @description When it was sent
             */
            created_at: string;
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *           "room": {
         *             "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "name": "Silent Sunday",
         *             "description": "A silent movie every Sunday.",
         *             "movie": {
         *               "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *               "title": "Nosferatu",
         *               "year": 1922,
         *               "runtime_minutes": 94,
         *               "poster_url": "https://movies.example/nosferatu.jpg"
         *             },
         *             "participants": 2,
         *             "present": 1
         *           },
         *           "inviter": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "expires_at": "2026-02-07T20:15:00Z",
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        MyInvitationList: {
            /** @description The invitations of this page */
            data: components["schemas"]["MyInvitation"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "email": "erin@example.org",
         *         "room": {
         *           "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "name": "Silent Sunday",
         *           "description": "A silent movie every Sunday.",
         *           "movie": {
         *             "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *             "title": "Nosferatu",
         *             "year": 1922,
         *             "runtime_minutes": 94,
         *             "poster_url": "https://movies.example/nosferatu.jpg"
         *           },
         *           "participants": 2,
         *           "present": 1
         *         },
         *         "inviter": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "expires_at": "2026-02-07T20:15:00Z"
         *       }
         *     }
         */
        InvitationPreviewAnswer: {
            data: components["schemas"]["InvitationPreview"];
        };
        /**
         * @example {
         *       "message_id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d"
         *     }
         */
        MarkReadRequest: {
            message_id: components["schemas"]["ID"];
        };
        /**
         * @example {
         *       "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *       "body": "Shall we begin?"
         *     }
         */
        PostMessageRequest: {
            room_id: components["schemas"]["ID"];
            body: components["schemas"]["MessageBody"];
            /**
             * Format: uuid
             * @description A message of the same room that it answers
             */
            reply_to_id?: string | null;
        };
        /**
         * @example {
         *       "body": "Yes, please!"
         *     }
         */
        EditMessageRequest: {
            body: components["schemas"]["MessageBody"];
        };
        /** @description A message that another one answers */
        Quote: {
            id: components["schemas"]["ID"];
            /** @description The author; null when the account is deleted */
            author: components["schemas"]["Person"] | null;
            /** @description The first 140 characters; empty when the message is deleted */
            excerpt: string;
        };
        /**
         * @description A message in the chat of a room
         * @example {
         *       "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d",
         *       "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *       "author": {
         *         "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *         "username": "dave",
         *         "display_name": "Dave",
         *         "avatar": {
         *           "default": true,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *         }
         *       },
         *       "body": "Yes, please.",
         *       "reply_to": {
         *         "id": "01993f76-7182-73a4-95c6-d7e8f90a1b2c",
         *         "author": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "excerpt": "Shall we begin?"
         *       },
         *       "created_at": "2026-01-31T20:15:00Z",
         *       "edited_at": null,
         *       "deleted": false
         *     }
         */
        Message: {
            id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            /** @description The author; null when the account is deleted */
            author: components["schemas"]["Person"] | null;
            /** @description Plain text as it was sent, to be escaped before it is shown; empty when the message is deleted */
            body: string;
            /** @description The message that it answers; null without one */
            reply_to: components["schemas"]["Quote"] | null;
            /**
             * Format: date-time
             * @description When it was posted
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was last edited; null if it never was
             */
            edited_at: string | null;
            /** @description Whether it is deleted, or hidden together with the rest of its author's content */
            deleted: boolean;
        };
        /**
         * @description The health of the service, as this process sees it
         * @example {
         *       "status": "degraded",
         *       "database": "connected",
         *       "redis": "connected",
         *       "temporal": "connected",
         *       "workers": "no worker for email",
         *       "schedules": "connected",
         *       "bucket": "connected",
         *       "emails": "connected",
         *       "emails_sent_at": "2026-03-02T20:14:31Z",
         *       "degraded": [
         *         {
         *           "part": "workers",
         *           "state": "no worker for email",
         *           "since": "2026-03-02T19:55:00Z",
         *           "effect": "Emails, new avatars, clean-up or reports wait, whichever have no worker. Everything else works."
         *         }
         *       ]
         *     }
         */
        Health: {
            /**
             * @description `ok`: everything works. `degraded`: everything but the parts below works. `down`: requests are refused.
             * @enum {string}
             */
            status: "ok" | "degraded" | "down";
            /** @description `connected`, or what is wrong with Postgres */
            database: string;
            /** @description `connected`, or what is wrong with Redis */
            redis: string;
            /** @description `connected`, or what is wrong with Temporal */
            temporal: string;
            /**
             * @description `connected` if every task queue has a worker; otherwise the names of the queues without one. A queue that an
             *     admin has paused is no fault: if nothing else is wrong, this is `paused by an admin: ` with the names of
             *     these queues.
             */
            workers: string;
            /**
             * @description `connected` if every schedule exists and has run when it was due; otherwise the names of the schedules with
             *     a fault: `is missing`, `is late` (Temporal has not decided about a run that is due), or `has skipped a run`,
             *     until the next one. A pause by an admin is no fault, and a run that was due during a pause is not missed: if
             *     nothing else is wrong, this is `paused by an admin: ` with the names of these schedules.
             */
            schedules: string;
            /** @description `connected`, or what is wrong with the bucket of the avatars' files */
            bucket: string;
            /**
             * @description `connected` if the mail server takes emails and none is late, or what is wrong. While an admin has paused
             *     emails, this is `paused by an admin`, which is no fault.
             */
            emails: string;
            /**
             * Format: date-time
             * @description When the mail server last took an email; null if that is not known
             */
            emails_sent_at: string | null;
            /** @description The parts with a fault; empty if there are none */
            degraded: components["schemas"]["DegradedPart"][];
        };
        /**
         * @description A part of the service. `database`: Postgres. `redis`: the cache and the rate limits. `temporal`: the server of
         *     background work. `workers`: the processes that do it. `schedules`: the regular jobs. `bucket`: the files of
         *     avatars. `emails`: the mail server.
         * @enum {string}
         */
        HealthPart: "database" | "redis" | "temporal" | "workers" | "schedules" | "bucket" | "emails";
        /**
         * @description A part with a fault
         * @example {
         *       "part": "workers",
         *       "state": "no worker for email",
         *       "since": "2026-03-02T19:55:00Z",
         *       "effect": "Emails, new avatars, clean-up or reports wait, whichever have no worker. Everything else works."
         *     }
         */
        DegradedPart: {
            part: components["schemas"]["HealthPart"];
            /** @description The fault of the part */
            state: string;
            /**
             * Format: date-time
             * @description When this process first noticed the fault
             */
            since: string;
            /** @description The effect of the fault on users */
            effect: string;
        };
        /**
         * @description The state of an account. `active`: it can sign in. `suspended`: an admin has suspended it, and it cannot sign
         *     in.
         * @enum {string}
         */
        UserState: "active" | "suspended";
        /**
         * @description An account, as admins see it
         * @example {
         *       "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *       "username": "dave",
         *       "email": "dave@example.org",
         *       "email_verified": true,
         *       "display_name": "Dave",
         *       "is_admin": false,
         *       "avatar": {
         *         "default": true,
         *         "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *         "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *         "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *         "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *       },
         *       "state": "suspended",
         *       "suspended_at": "2026-01-31T20:30:00Z",
         *       "content_hidden": true,
         *       "created_at": "2026-01-11T10:00:00Z",
         *       "updated_at": "2026-01-31T20:30:00Z"
         *     }
         */
        AdminUser: {
            id: components["schemas"]["ID"];
            username: components["schemas"]["Username"];
            email: components["schemas"]["EmailAddress"];
            /** @description Whether the owner has confirmed the address */
            email_verified: boolean;
            display_name: components["schemas"]["DisplayName"];
            /** @description Whether the account has the rights of an admin */
            is_admin: boolean;
            avatar: components["schemas"]["AvatarURLs"];
            state: components["schemas"]["UserState"];
            /**
             * Format: date-time
             * @description When it was suspended; null unless it is
             */
            suspended_at: string | null;
            /** @description Whether its rooms and messages are hidden */
            content_hidden: boolean;
            /**
             * Format: date-time
             * @description When the account was created
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When the account was last changed
             */
            updated_at: string;
        };
        /**
         * @example {
         *       "reason": "Spam",
         *       "hide_content": true
         *     }
         */
        SuspendRequest: {
            /** @description The reason, for other admins, in the audit log */
            reason: string;
            /**
             * @description Whether the rooms that the account hosts, and its messages, are hidden
             * @default true
             */
            hide_content?: boolean | null;
            abuse_report_id?: components["schemas"]["ResolvedReportID"];
        };
        /**
         * Format: uuid
         * @description A report of abuse about the same, which this resolves. Both happen, or neither.
         */
        ResolvedReportID: string | null;
        /** @description The reason, for the room's host in its log, and for other admins in the audit log */
        ReasonForHost: string;
        /**
         * @example {
         *       "reason": "Advertisements only"
         *     }
         */
        CloseRoomRequest: {
            reason: components["schemas"]["ReasonForHost"];
            abuse_report_id?: components["schemas"]["ResolvedReportID"];
        };
        /**
         * @example {
         *       "reason": "The host has removed the advertisements"
         *     }
         */
        ReopenRoomRequest: {
            reason: components["schemas"]["ReasonForHost"];
        };
        /**
         * @example {
         *       "reason": "Spam",
         *       "abuse_report_id": "01993f78-93a4-75c6-b7e8-f90a1b2c3d4e"
         *     }
         */
        RemoveMessageRequest: {
            reason: components["schemas"]["ReasonForHost"];
            abuse_report_id?: components["schemas"]["ResolvedReportID"];
        };
        /**
         * @description A room, as admins see it
         * @example {
         *       "room": {
         *         "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "name": "Silent Sunday",
         *         "description": "A silent movie every Sunday.",
         *         "movie": {
         *           "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *           "title": "Nosferatu",
         *           "year": 1922,
         *           "runtime_minutes": 94,
         *           "poster_url": "https://movies.example/nosferatu.jpg"
         *         },
         *         "host": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "visibility": "public",
         *         "capacity": 10,
         *         "participants": 2,
         *         "present": 1,
         *         "slow_mode_seconds": 0,
         *         "control": "moderators",
         *         "queue": "everyone",
         *         "queue_order": "manual",
         *         "wait_policy": "auto",
         *         "now_playing": true,
         *         "next_party": {
         *           "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *           "starts_at": "2026-02-01T19:30:00Z",
         *           "title": "Second part"
         *         },
         *         "state": "open",
         *         "closed": false,
         *         "created_at": "2026-01-31T19:00:00Z",
         *         "updated_at": "2026-01-31T19:00:00Z"
         *       },
         *       "closed_at": null,
         *       "hidden": false
         *     }
         */
        AdminRoom: {
            room: components["schemas"]["Room"];
            /**
             * Format: date-time
             * @description When an admin closed it; null unless it is closed
             */
            closed_at: string | null;
            /** @description Whether it is hidden together with the rest of its host's content. Then only admins see it. */
            hidden: boolean;
        };
        /**
         * @example {
         *       "data": {
         *         "room": {
         *           "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "name": "Silent Sunday",
         *           "description": "A silent movie every Sunday.",
         *           "movie": {
         *             "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *             "title": "Nosferatu",
         *             "year": 1922,
         *             "runtime_minutes": 94,
         *             "poster_url": "https://movies.example/nosferatu.jpg"
         *           },
         *           "host": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "visibility": "public",
         *           "capacity": 10,
         *           "participants": 2,
         *           "present": 1,
         *           "slow_mode_seconds": 0,
         *           "control": "moderators",
         *           "queue": "everyone",
         *           "queue_order": "manual",
         *           "wait_policy": "auto",
         *           "now_playing": true,
         *           "next_party": {
         *             "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *             "starts_at": "2026-02-01T19:30:00Z",
         *             "title": "Second part"
         *           },
         *           "state": "open",
         *           "closed": false,
         *           "created_at": "2026-01-31T19:00:00Z",
         *           "updated_at": "2026-01-31T19:00:00Z"
         *         },
         *         "closed_at": null,
         *         "hidden": false
         *       }
         *     }
         */
        AdminRoomAnswer: {
            data: components["schemas"]["AdminRoom"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "room": {
         *             "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "name": "Silent Sunday",
         *             "description": "A silent movie every Sunday.",
         *             "movie": {
         *               "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *               "title": "Nosferatu",
         *               "year": 1922,
         *               "runtime_minutes": 94,
         *               "poster_url": "https://movies.example/nosferatu.jpg"
         *             },
         *             "host": {
         *               "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *               "username": "carol",
         *               "display_name": "Carol",
         *               "avatar": {
         *                 "default": false,
         *                 "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *                 "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *                 "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *                 "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *               }
         *             },
         *             "visibility": "public",
         *             "capacity": 10,
         *             "participants": 2,
         *             "present": 1,
         *             "slow_mode_seconds": 0,
         *             "control": "moderators",
         *             "queue": "everyone",
         *             "queue_order": "manual",
         *             "wait_policy": "auto",
         *             "now_playing": true,
         *             "next_party": {
         *               "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *               "starts_at": "2026-02-01T19:30:00Z",
         *               "title": "Second part"
         *             },
         *             "state": "open",
         *             "closed": false,
         *             "created_at": "2026-01-31T19:00:00Z",
         *             "updated_at": "2026-01-31T19:00:00Z"
         *           },
         *           "closed_at": null,
         *           "hidden": false
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        AdminRoomList: {
            /** @description The rooms of this page */
            data: components["schemas"]["AdminRoom"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @description A message, as admins see it
         * @example {
         *       "message": {
         *         "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d",
         *         "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "author": {
         *           "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *           "username": "dave",
         *           "display_name": "Dave",
         *           "avatar": {
         *             "default": true,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *           }
         *         },
         *         "body": "Yes, please.",
         *         "reply_to": {
         *           "id": "01993f76-7182-73a4-95c6-d7e8f90a1b2c",
         *           "author": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "excerpt": "Shall we begin?"
         *         },
         *         "created_at": "2026-01-31T20:15:00Z",
         *         "edited_at": null,
         *         "deleted": false
         *       },
         *       "hidden": false
         *     }
         */
        AdminMessage: {
            message: components["schemas"]["Message"];
            /**
             * @description Whether it is hidden together with the rest of its author's content. To everyone but admins it then looks
             *     deleted.
             */
            hidden: boolean;
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "message": {
         *             "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d",
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "author": {
         *               "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *               "username": "dave",
         *               "display_name": "Dave",
         *               "avatar": {
         *                 "default": true,
         *                 "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *                 "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *                 "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *                 "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *               }
         *             },
         *             "body": "Yes, please.",
         *             "reply_to": {
         *               "id": "01993f76-7182-73a4-95c6-d7e8f90a1b2c",
         *               "author": {
         *                 "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *                 "username": "carol",
         *                 "display_name": "Carol",
         *                 "avatar": {
         *                   "default": false,
         *                   "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *                   "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *                   "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *                   "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *                 }
         *               },
         *               "excerpt": "Shall we begin?"
         *             },
         *             "created_at": "2026-01-31T20:15:00Z",
         *             "edited_at": null,
         *             "deleted": false
         *           },
         *           "hidden": false
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        AdminMessageList: {
            /** @description The messages of this page */
            data: components["schemas"]["AdminMessage"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @description The kind of abuse
         * @enum {string}
         */
        AbuseKind: "spam" | "harassment" | "hate" | "sexual" | "violence" | "illegal" | "other";
        /**
         * @description The state of a report of abuse. `open`: no admin has decided about it. `resolved`: an admin has.
         * @enum {string}
         */
        AbuseReportState: "open" | "resolved";
        /**
         * @description The kind of thing that was reported
         * @enum {string}
         */
        AbuseTargetKind: "room" | "message" | "user";
        /**
         * @description `dismissed`: nothing was wrong. `acted`: an admin did something about it.
         * @enum {string}
         */
        AbuseOutcome: "dismissed" | "acted";
        /**
         * @example {
         *       "kind": "spam",
         *       "message_id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d",
         *       "text": "The same advertisement in every room"
         *     }
         */
        ReportAbuseRequest: {
            kind: components["schemas"]["AbuseKind"];
            /**
             * Format: uuid
             * @description The room that is reported
             */
            room_id?: string | null;
            /**
             * Format: uuid
             * @description The message that is reported
             */
            message_id?: string | null;
            /** @description The account that is reported */
            username?: string | null;
            /** @description A note for the admins, who alone see it */
            text?: string | null;
        };
        /** @description The reported thing */
        AbuseTarget: {
            kind: components["schemas"]["AbuseTargetKind"];
            id: components["schemas"]["ID"];
        };
        /**
         * @description A report of abuse, as its sender sees it
         * @example {
         *       "id": "01993f78-93a4-75c6-b7e8-f90a1b2c3d4e",
         *       "kind": "spam",
         *       "target": {
         *         "kind": "message",
         *         "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d"
         *       },
         *       "text": "The same advertisement in every room",
         *       "created_at": "2026-01-31T20:20:00Z"
         *     }
         */
        SentAbuseReport: {
            id: components["schemas"]["ID"];
            kind: components["schemas"]["AbuseKind"];
            target: components["schemas"]["AbuseTarget"];
            /** @description The note of the sender; empty without one */
            text: string;
            /**
             * Format: date-time
             * @description When it was sent
             */
            created_at: string;
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f78-93a4-75c6-b7e8-f90a1b2c3d4e",
         *         "kind": "spam",
         *         "target": {
         *           "kind": "message",
         *           "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d"
         *         },
         *         "text": "The same advertisement in every room",
         *         "created_at": "2026-01-31T20:20:00Z"
         *       }
         *     }
         */
        SentAbuseReportAnswer: {
            data: components["schemas"]["SentAbuseReport"];
        };
        /**
         * @description A copy of the reported content from the time of the report; properties that a kind of thing does not have are
         *     empty
         */
        ReportedContent: {
            /** @description The username of the message's author, the room's host, or the account itself */
            username: string;
            /** @description The display name of the same account */
            display_name: string;
            /** @description The name of the room, or of the message's room */
            room_name: string;
            /** @description The description of a reported room */
            room_description: string;
            /** @description The text of a reported message */
            body: string;
        };
        /**
         * @description A report of abuse, as admins see it. Its sender is in no answer.
         * @example {
         *       "id": "01993f78-93a4-75c6-b7e8-f90a1b2c3d4e",
         *       "kind": "spam",
         *       "target": {
         *         "kind": "message",
         *         "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d"
         *       },
         *       "user": {
         *         "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *         "username": "dave",
         *         "display_name": "Dave",
         *         "avatar": {
         *           "default": true,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *         }
         *       },
         *       "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *       "text": "The same advertisement in every room",
         *       "content": {
         *         "username": "dave",
         *         "display_name": "Dave",
         *         "room_name": "Silent Sunday",
         *         "room_description": "",
         *         "body": "Buy one, get two!"
         *       },
         *       "state": "resolved",
         *       "outcome": "acted",
         *       "note": "The account is suspended.",
         *       "resolved_at": "2026-01-31T20:30:00Z",
         *       "created_at": "2026-01-31T20:20:00Z"
         *     }
         */
        AbuseReport: {
            id: components["schemas"]["ID"];
            kind: components["schemas"]["AbuseKind"];
            target: components["schemas"]["AbuseTarget"];
            /**
             * @description The account that it concerns: the message's author, the room's host, or the account itself. It is null when
             *     the account is deleted.
             */
            user: components["schemas"]["Person"] | null;
            /**
             * Format: uuid
             * @description The reported room, or the room of the reported message; null for an account, and when the room is deleted
             */
            room_id: string | null;
            /** @description The note of the sender; empty without one */
            text: string;
            /**
             * @description A copy of the reported content from the time of the report; null once the report is resolved and the account
             *     is deleted
             */
            content: components["schemas"]["ReportedContent"] | null;
            state: components["schemas"]["AbuseReportState"];
            /** @description The decision of an admin; null while the report is open */
            outcome: (string & components["schemas"]["AbuseOutcome"]) | null;
            /** @description The note of the admin who resolved it; empty without one */
            note: string;
            /**
             * Format: date-time
             * @description When it was resolved; null while it is open
             */
            resolved_at: string | null;
            /**
             * Format: date-time
             * @description When it was sent
             */
            created_at: string;
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f78-93a4-75c6-b7e8-f90a1b2c3d4e",
         *         "kind": "spam",
         *         "target": {
         *           "kind": "message",
         *           "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d"
         *         },
         *         "user": {
         *           "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *           "username": "dave",
         *           "display_name": "Dave",
         *           "avatar": {
         *             "default": true,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *           }
         *         },
         *         "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "text": "The same advertisement in every room",
         *         "content": {
         *           "username": "dave",
         *           "display_name": "Dave",
         *           "room_name": "Silent Sunday",
         *           "room_description": "",
         *           "body": "Buy one, get two!"
         *         },
         *         "state": "resolved",
         *         "outcome": "acted",
         *         "note": "The account is suspended.",
         *         "resolved_at": "2026-01-31T20:30:00Z",
         *         "created_at": "2026-01-31T20:20:00Z"
         *       }
         *     }
         */
        AbuseReportAnswer: {
            data: components["schemas"]["AbuseReport"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f78-93a4-75c6-b7e8-f90a1b2c3d4e",
         *           "kind": "spam",
         *           "target": {
         *             "kind": "message",
         *             "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d"
         *           },
         *           "user": {
         *             "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "username": "dave",
         *             "display_name": "Dave",
         *             "avatar": {
         *               "default": true,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *             }
         *           },
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "text": "The same advertisement in every room",
         *           "content": {
         *             "username": "dave",
         *             "display_name": "Dave",
         *             "room_name": "Silent Sunday",
         *             "room_description": "",
         *             "body": "Buy one, get two!"
         *           },
         *           "state": "resolved",
         *           "outcome": "acted",
         *           "note": "The account is suspended.",
         *           "resolved_at": "2026-01-31T20:30:00Z",
         *           "created_at": "2026-01-31T20:20:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        AbuseReportList: {
            /** @description The reports of this page */
            data: components["schemas"]["AbuseReport"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "outcome": "dismissed",
         *       "note": "A joke among friends"
         *     }
         */
        ResolveAbuseReportRequest: {
            outcome: components["schemas"]["AbuseOutcome"];
            /** @description A note for other admins */
            note?: string | null;
        };
        /**
         * @description What an email is about. `welcome`: a new account, with the link that confirms its address. `welcome_reminder`:
         *     the same link again, 3 days later. `email_verification`: the link that confirms a new address. `password_reset`:
         *     the link that sets a new password. `password_changed`: the password was changed or reset. `email_changed`: to
         *     the former address, after a change of the address. `room_invitation`: an invitation to a room.
         *     `room_invitation_reminder`: the same invitation again. `activity_report`: a report of activity, to the
         *     recipients in the settings. `party_reminder`: a party starts in a day or an hour. `party_changed`: a party was
         *     moved. `party_cancelled`: a party was cancelled.
         * @enum {string}
         */
        EmailKind: "welcome" | "welcome_reminder" | "email_verification" | "password_reset" | "password_changed" | "email_changed" | "room_invitation" | "room_invitation_reminder" | "activity_report" | "party_reminder" | "party_changed" | "party_cancelled";
        /**
         * @description The state of an email. `queued`: no attempt was made. `sending`: an attempt is under way, or another one
         *     follows. `sent`: the mail server has accepted it. `failed`: it was given up. `cancelled`: it was not sent, since
         *     it was of no use any more or an admin cancelled it. No attempt follows `sent`, `failed` and `cancelled`.
         * @enum {string}
         */
        EmailState: "queued" | "sending" | "sent" | "failed" | "cancelled";
        /**
         * @description `address_rejected`: the mail server takes no email for this address. `mailbox_full`: the recipient has no space
         *     left. `message_rejected`: the mail server refuses what is in the email. `server_unreachable`: it could not be
         *     reached, refused this service, or did not take the email in time. `unconfirmed`: the mail server may have
         *     accepted the email, but its answer did not arrive. `expired`: no attempt was made in time. The others are of
         *     cancelled emails. `cancelled`: an admin cancelled it; the audit log says who. Only admins see the following
         *     ones; to others all of them are `cancelled`, except that an email with `opted_out` looks sent. `no_account`: the
         *     address has no account, or the account was deleted. `account_suspended`: the recipient's account is.
         *     `already_confirmed`: the address was confirmed. `address_taken`: another account has the address. `link_ended`:
         *     the link was used, replaced by a later one, or is too old. `invitation_ended`: it was answered, revoked,
         *     removed, or it expired. `may_not_invite`: the inviter may not invite to the room any more. `room_ended`: the
         *     room is archived, closed or removed. `not_a_recipient`: the settings do not name the address any more.
         *     `party_changed`: the party was moved. `party_ended`: the party has started, or was cancelled. `not_a_guest`: the
         *     recipient does not come to the party, or may not enter the room. `opted_out`: the address wants no invitations.
         * @enum {string}
         */
        EmailReason: "address_rejected" | "mailbox_full" | "message_rejected" | "server_unreachable" | "unconfirmed" | "expired" | "cancelled" | "no_account" | "account_suspended" | "already_confirmed" | "address_taken" | "link_ended" | "invitation_ended" | "may_not_invite" | "room_ended" | "not_a_recipient" | "party_changed" | "party_ended" | "not_a_guest" | "opted_out";
        /**
         * @description An email, as admins see it. It has neither the address nor the text.
         * @example {
         *       "id": "01993f79-a4b5-76d7-88f9-0a1b2c3d4e5f",
         *       "kind": "room_invitation",
         *       "subject_id": "01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *       "recipient": {
         *         "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *         "username": "dave",
         *         "display_name": "Dave",
         *         "avatar": {
         *           "default": true,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *         }
         *       },
         *       "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *       "state": "sending",
         *       "reason": "mailbox_full",
         *       "attempts": 1,
         *       "last_answer": "452 4.2.2 The mailbox is full",
         *       "waits_for": "retry",
         *       "waits_until": "2026-01-31T20:15:07Z",
         *       "deadline_at": "2026-02-01T20:04:57Z",
         *       "resend_of": null,
         *       "workflow_id": "room-invitation/01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *       "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22room-invitation%2F01993f75-6071-7293-84b5-c6d7e8f90a1b%22",
         *       "created_at": "2026-01-31T20:15:00Z",
         *       "updated_at": "2026-01-31T20:15:02Z",
         *       "sent_at": null,
         *       "history": [
         *         {
         *           "number": 1,
         *           "outcome": "temporary",
         *           "answer": "452 4.2.2 The mailbox is full",
         *           "started_at": "2026-01-31T20:15:01Z",
         *           "ended_at": "2026-01-31T20:15:02Z"
         *         }
         *       ]
         *     }
         */
        Email: {
            id: components["schemas"]["ID"];
            kind: components["schemas"]["EmailKind"];
            /** @description The ID of what it is about: a user, a verification, a reset, an invitation, or a report */
            subject_id: components["schemas"]["ID"];
            /** @description The account of the recipient; null without one, and when it is deleted */
            recipient: components["schemas"]["Person"] | null;
            /**
             * Format: uuid
             * @description The room of an invitation; null for others, and when the invitation is removed
             */
            room_id: string | null;
            state: components["schemas"]["EmailState"];
            /** @description Why it was not sent, or not yet; null otherwise */
            reason: (string & components["schemas"]["EmailReason"]) | null;
            /** @description How often it was tried */
            attempts: number;
            /** @description The last refusal of the mail server, without addresses; null once it is sent */
            last_answer: string | null;
            /** @description The reason for the wait; null while an attempt lasts, and when no attempt follows */
            waits_for: (string & components["schemas"]["EmailWait"]) | null;
            /**
             * Format: date-time
             * @description When it is tried next; null if that is not known
             */
            waits_until: string | null;
            /**
             * Format: date-time
             * @description About when it is given up if the mail server still does not take it; null until an attempt has failed, and
             *     when no attempt follows
             */
            deadline_at: string | null;
            /**
             * Format: uuid
             * @description The email that an admin sent again by this one; null for others
             */
            resend_of: string | null;
            /** @description The ID of the workflow that sends it */
            workflow_id: string;
            /**
             * Format: uri
             * @description Where the Temporal UI shows the workflow
             */
            temporal_url: string;
            /**
             * Format: date-time
             * @description When it was queued
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When its state last changed
             */
            updated_at: string;
            /**
             * Format: date-time
             * @description When the mail server took it; null if it was not sent
             */
            sent_at: string | null;
            /** @description All attempts to send it, oldest first; null in lists and in the answer of `cancelEmail` */
            history: components["schemas"]["EmailAttempt"][] | null;
        };
        /**
         * @description `recipient_limit`: the recipient has had as many emails as one address gets within an hour, or a day. The email
         *     goes out by itself when there may be more. `pause`: an admin has paused emails. `relay`: Temporal does not have
         *     its workflow yet. `retry`: the mail server did not take it, and the next attempt comes by itself. `worker`: an
         *     attempt is due, and no worker has begun it; if this lasts, no worker is there.
         * @enum {string}
         */
        EmailWait: "recipient_limit" | "pause" | "relay" | "retry" | "worker";
        /**
         * @description Why an admin does something
         * @example The mail server works again
         */
        AdminNote: string;
        /** @description An attempt to hand an email to the mail server */
        EmailAttempt: {
            /** @description The number of the attempt, from 1 */
            number: number;
            /**
             * @description `open`: it lasts, or its process ended in the middle within the last hour; after that it is `lost`. `sent`:
             *     the server accepted the email. `temporary`, `later`, `unreachable`: it failed, and another attempt follows.
             *     `ambiguous`: the server may have accepted the email, but its answer did not arrive. `permanent`: the server
             *     refused it for good. `cancelled`: the email had no recipient or nothing to say any more.
             * @enum {string}
             */
            outcome: "open" | "sent" | "temporary" | "later" | "unreachable" | "ambiguous" | "permanent" | "cancelled" | "lost";
            /** @description What the mail server said, without addresses; null if it said nothing */
            answer: string | null;
            /**
             * Format: date-time
             * @description When it began
             */
            started_at: string;
            /**
             * Format: date-time
             * @description When it ended; null while it is open
             */
            ended_at: string | null;
        };
        /**
         * @description Whether emails are sent
         * @example {
         *       "paused_at": "2026-01-31T20:40:00Z",
         *       "waiting": 12
         *     }
         */
        EmailPause: {
            /**
             * Format: date-time
             * @description When emails were paused; null while they are sent
             */
            paused_at: string | null;
            /** @description How many emails are still to be sent, paused or not */
            waiting: number;
        };
        /**
         * @description `room.opened`: somebody has created a room. `movie.started`: a room begins to play something. `user.suspended`:
         *     an admin has suspended an account. `report.filed`: somebody has reported abuse. `email.given_up`: no attempt to
         *     send an email follows, and none succeeded. `cleanup.ended`: a clean-up run has ended.
         * @enum {string}
         */
        WebhookKind: "room.opened" | "movie.started" | "user.suspended" | "report.filed" | "email.given_up" | "cleanup.ended";
        /**
         * @description The kind of an event, or `webhook.test` for a message that an admin has asked for
         * @enum {string}
         */
        WebhookMessageKind: "room.opened" | "movie.started" | "user.suspended" | "report.filed" | "email.given_up" | "cleanup.ended" | "webhook.test";
        /**
         * @description `pending`: attempts follow. `delivered`: the receiver has answered 2xx. `failed`: no attempt within three days
         *     was answered 2xx. `cancelled`: it was not tried, or not any more.
         * @enum {string}
         */
        WebhookDeliveryState: "pending" | "delivered" | "failed" | "cancelled";
        /**
         * @description `attempts`: the last one failed. `gone`: the receiver has answered 410. `webhook_off`: the webhook is off, or
         *     was removed. `stopped`: an admin has ended its job. `lost`: its job was lost.
         * @enum {string}
         */
        WebhookDeliveryReason: "attempts" | "gone" | "webhook_off" | "stopped" | "lost";
        /**
         * Format: uri
         * @description Where messages go: https, of a public server, on port 443 or above 1023, without a name and password in it.
         *     Redirects are not followed.
         */
        WebhookURL: string;
        /** @description The purpose of the webhook; empty without one */
        WebhookDescription: string;
        /**
         * @description An address that gets messages about events
         * @example {
         *       "id": "01993f7f-0a1b-7c2d-8e3f-405162738495",
         *       "url": "https://hooks.example/watchparty",
         *       "description": "To the bot",
         *       "kinds": [
         *         "report.filed",
         *         "room.opened"
         *       ],
         *       "secret": null,
         *       "former_secret_until": null,
         *       "enabled": true,
         *       "off_at": null,
         *       "off_reason": null,
         *       "failing_since": null,
         *       "pending": 0,
         *       "failed": 2,
         *       "delivered_at": "2026-01-31T20:15:00Z",
         *       "created_at": "2026-01-31T19:00:00Z",
         *       "updated_at": "2026-01-31T19:00:00Z"
         *     }
         */
        Webhook: {
            id: components["schemas"]["ID"];
            url: components["schemas"]["WebhookURL"];
            description: components["schemas"]["WebhookDescription"];
            /** @description The kinds of events that it gets */
            kinds: components["schemas"]["WebhookKind"][];
            /**
             * @description The key of the signatures, `whsec_` and base64; only in the answers to the registration and to a new secret,
             *     null in all others
             */
            secret: string | null;
            /**
             * Format: date-time
             * @description When the former secret stops to sign as well; null if it does not sign
             */
            former_secret_until: string | null;
            /** @description Whether messages are sent */
            enabled: boolean;
            /**
             * Format: date-time
             * @description When it was switched off; null while on
             */
            off_at: string | null;
            /**
             * @description The reason why the webhook is off; null while it is on. `admin`: an admin has switched it off. `failing`:
             *     all attempts have failed for days. `gone`: the receiver has answered 410.
             * @enum {string|null}
             */
            off_reason: "admin" | "failing" | "gone" | null;
            /**
             * Format: date-time
             * @description When the failures began; null if the latest attempt succeeded
             */
            failing_since: string | null;
            /** @description The number of deliveries that are still to be made; 1000 stands for 1000 and more */
            pending: number;
            /** @description The number of deliveries that failed or were cancelled and can be replayed; 1000 stands for 1000 and more */
            failed: number;
            /**
             * Format: date-time
             * @description When the receiver last took a message, to the minute; null for never
             */
            delivered_at: string | null;
            /**
             * Format: date-time
             * @description When it was registered
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was last changed
             */
            updated_at: string;
        };
        /**
         * @example {
         *       "url": "https://hooks.example/watchparty",
         *       "description": "To the bot",
         *       "kinds": [
         *         "report.filed",
         *         "room.opened"
         *       ]
         *     }
         */
        CreateWebhookRequest: {
            url: components["schemas"]["WebhookURL"];
            /**
             * @description The purpose of the webhook; empty without one
             * @default
             */
            description?: string | null;
            /** @description The kinds of events; without it, all kinds that there are now */
            kinds?: components["schemas"]["WebhookKind"][] | null;
        };
        /**
         * @example {
         *       "kinds": [
         *         "report.filed"
         *       ],
         *       "enabled": true
         *     }
         */
        UpdateWebhookRequest: {
            url?: components["schemas"]["WebhookURL"];
            /** @description The purpose of the webhook; null for none */
            description?: string | null;
            /** @description The kinds of events; null for all kinds that there are now */
            kinds?: components["schemas"]["WebhookKind"][] | null;
            /** @description Whether messages are sent */
            enabled?: boolean;
        };
        /**
         * @description How long the former secret signs as well
         * @example {
         *       "overlap_seconds": 3600
         *     }
         */
        RotateSecretRequest: {
            /**
             * @description The time of overlap in seconds; 0 ends the former secret at once
             * @default 86400
             */
            overlap_seconds?: number | null;
        };
        /**
         * @example {
         *       "since": "2026-01-30T00:00:00Z"
         *     }
         */
        ReplayWebhookRequest: {
            /**
             * Format: date-time
             * @description The earliest time of the events
             */
            since: string;
        };
        /**
         * @description The effect of a replay
         * @example {
         *       "queued": 12,
         *       "more": false
         *     }
         */
        WebhookReplay: {
            /** @description The number of deliveries that were restarted */
            queued: number;
            /** @description Whether there are deliveries left */
            more: boolean;
        };
        /**
         * @description A message to a webhook, however often it is tried
         * @example {
         *       "id": "01993f80-1b2c-7d3e-8f40-516273849506",
         *       "webhook_id": "01993f7f-0a1b-7c2d-8e3f-405162738495",
         *       "event_id": "01993f80-1b2c-7d3e-8f40-516273849507",
         *       "kind": "room.opened",
         *       "state": "failed",
         *       "reason": "attempts",
         *       "attempts": 11,
         *       "last_http_status": 503,
         *       "next_attempt_at": null,
         *       "deadline_at": null,
         *       "message": {
         *         "type": "room.opened",
         *         "timestamp": "2026-01-31T20:15:00Z",
         *         "data": {
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "host_id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "visibility": "public"
         *         }
         *       },
         *       "workflow_id": "webhook-delivery/01993f80-1b2c-7d3e-8f40-516273849506/1",
         *       "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22webhook-delivery%2F01993f80-1b2c-7d3e-8f40-516273849506%2F1%22",
         *       "created_at": "2026-01-31T20:15:00Z",
         *       "ended_at": "2026-02-03T20:15:30Z",
         *       "history": [
         *         {
         *           "number": 11,
         *           "outcome": "status",
         *           "http_status": 503,
         *           "started_at": "2026-02-03T20:15:29Z",
         *           "ended_at": "2026-02-03T20:15:30Z",
         *           "duration_ms": 412
         *         }
         *       ]
         *     }
         */
        WebhookDelivery: {
            id: components["schemas"]["ID"];
            webhook_id: components["schemas"]["ID"];
            /** @description The header `webhook-id`, which is the same in all attempts and for all webhooks that receive the event */
            event_id: components["schemas"]["ID"];
            kind: components["schemas"]["WebhookMessageKind"];
            state: components["schemas"]["WebhookDeliveryState"];
            /** @description Why it failed or was cancelled; null otherwise */
            reason: (string & components["schemas"]["WebhookDeliveryReason"]) | null;
            /** @description How often it was tried */
            attempts: number;
            /** @description The status of the latest answer; null if there was none */
            last_http_status: number | null;
            /**
             * Format: date-time
             * @description When it is tried next; null when it is due, under way or has ended
             */
            next_attempt_at: string | null;
            /**
             * Format: date-time
             * @description When it is given up; null when it has ended
             */
            deadline_at: string | null;
            /**
             * @description The message that is sent: a RoomOpenedMessage, MovieStartedMessage, UserSuspendedMessage, ReportFiledMessage,
             *     EmailGivenUpMessage, CleanupEndedMessage or WebhookTestMessage, as its `type` says; null in lists
             */
            message: {
                [key: string]: unknown;
            } | null;
            /** @description The ID of the workflow that delivers it */
            workflow_id: string;
            /**
             * Format: uri
             * @description Where the Temporal UI shows the workflow
             */
            temporal_url: string;
            /**
             * Format: date-time
             * @description When the event was
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it ended; null while pending
             */
            ended_at: string | null;
            /** @description The latest 100 attempts, oldest first; null in lists */
            history: components["schemas"]["WebhookAttempt"][] | null;
        };
        /** @description An attempt to deliver a message */
        WebhookAttempt: {
            /** @description The number of the attempt, from 1 */
            number: number;
            /**
             * @description `open`: it lasts. `delivered`: 2xx. `status`: another status. `redirect`: 3xx, which is not followed.
             *     `gone`: 410. `timeout`: no answer within 15 seconds. `name`: the name cannot be resolved. `connection`:
             *     refused, or broken. `tls`: no connection that can be trusted. `blocked`: the name resolves to an address
             *     that is not allowed. `lost`: its process ended, and the receiver may have the message.
             * @enum {string}
             */
            outcome: "open" | "delivered" | "status" | "redirect" | "gone" | "timeout" | "name" | "connection" | "tls" | "blocked" | "lost";
            /** @description The status of the answer; null without one */
            http_status: number | null;
            /**
             * Format: date-time
             * @description When it began
             */
            started_at: string;
            /**
             * Format: date-time
             * @description When it ended; null while it is open
             */
            ended_at: string | null;
            /**
             * Format: int64
             * @description How long it took in milliseconds; null while it is open
             */
            duration_ms: number | null;
        };
        /**
         * @description Somebody has created a room
         * @example {
         *       "type": "room.opened",
         *       "timestamp": "2026-01-31T20:15:00Z",
         *       "data": {
         *         "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "host_id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "visibility": "public"
         *       }
         *     }
         */
        RoomOpenedMessage: {
            /**
             * @description The kind of the event
             * @enum {string}
             */
            type: "room.opened";
            /**
             * Format: date-time
             * @description When it happened
             */
            timestamp: string;
            /** @description The data of the event */
            data: {
                room_id: components["schemas"]["ID"];
                host_id: components["schemas"]["ID"];
                visibility: components["schemas"]["Visibility"];
            };
        };
        /**
         * @description A room begins to play something
         * @example {
         *       "type": "movie.started",
         *       "timestamp": "2026-01-31T20:15:00Z",
         *       "data": {
         *         "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "visibility": "public",
         *         "movie_id": "01993f71-0000-7b1f-a4c2-8d9e0f112233"
         *       }
         *     }
         */
        MovieStartedMessage: {
            /**
             * @description The kind of the event
             * @enum {string}
             */
            type: "movie.started";
            /**
             * Format: date-time
             * @description When it happened
             */
            timestamp: string;
            /** @description The data of the event */
            data: {
                room_id: components["schemas"]["ID"];
                visibility: components["schemas"]["Visibility"];
                /**
                 * Format: uuid
                 * @description The movie of the catalogue; null for an address of the room's own, and in a private room
                 */
                movie_id: string | null;
            };
        };
        /**
         * @description An admin has suspended an account
         * @example {
         *       "type": "user.suspended",
         *       "timestamp": "2026-01-31T20:15:00Z",
         *       "data": {
         *         "user_id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *         "content_hidden": true
         *       }
         *     }
         */
        UserSuspendedMessage: {
            /**
             * @description The kind of the event
             * @enum {string}
             */
            type: "user.suspended";
            /**
             * Format: date-time
             * @description When it happened
             */
            timestamp: string;
            /** @description The data of the event */
            data: {
                user_id: components["schemas"]["ID"];
                /** @description Whether what the account wrote is hidden */
                content_hidden: boolean;
            };
        };
        /**
         * @description Somebody has reported abuse; `GET /admin/abuse-reports` has the report
         * @example {
         *       "type": "report.filed",
         *       "timestamp": "2026-01-31T20:15:00Z",
         *       "data": {
         *         "abuse_report_id": "01993f78-9304-76c6-87e8-f90a1b2c3d4e",
         *         "kind": "spam",
         *         "target_kind": "user",
         *         "target_id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234"
         *       }
         *     }
         */
        ReportFiledMessage: {
            /**
             * @description The kind of the event
             * @enum {string}
             */
            type: "report.filed";
            /**
             * Format: date-time
             * @description When it happened
             */
            timestamp: string;
            /** @description The data of the event */
            data: {
                abuse_report_id: components["schemas"]["ID"];
                kind: components["schemas"]["AbuseKind"];
                target_kind: components["schemas"]["AbuseTargetKind"];
                target_id: components["schemas"]["ID"];
            };
        };
        /**
         * @description An email was given up: no attempt succeeded, and no other one follows
         * @example {
         *       "type": "email.given_up",
         *       "timestamp": "2026-01-31T20:15:00Z",
         *       "data": {
         *         "email_id": "01993f79-a4b5-76d7-88f9-0a1b2c3d4e5f",
         *         "kind": "room_invitation",
         *         "reason": "mailbox_full",
         *         "attempts": 150
         *       }
         *     }
         */
        EmailGivenUpMessage: {
            /**
             * @description The kind of the event
             * @enum {string}
             */
            type: "email.given_up";
            /**
             * Format: date-time
             * @description When it happened
             */
            timestamp: string;
            /** @description The data of the event */
            data: {
                email_id: components["schemas"]["ID"];
                kind: components["schemas"]["EmailKind"];
                reason: components["schemas"]["EmailReason"];
                /** @description How often it was tried */
                attempts: number;
            };
        };
        /**
         * @description A clean-up run has completed, failed, or was cancelled
         * @example {
         *       "type": "cleanup.ended",
         *       "timestamp": "2026-01-31T20:15:00Z",
         *       "data": {
         *         "run_id": "01993f7b-c6d7-78f9-aafb-2c3d4e5f6071",
         *         "trigger": "schedule",
         *         "dry_run": false,
         *         "state": "completed",
         *         "counts": {
         *           "old_messages": 1200
         *         },
         *         "failed_policies": []
         *       }
         *     }
         */
        CleanupEndedMessage: {
            /**
             * @description The kind of the event
             * @enum {string}
             */
            type: "cleanup.ended";
            /**
             * Format: date-time
             * @description When it happened
             */
            timestamp: string;
            /** @description The data of the event */
            data: {
                run_id: components["schemas"]["ID"];
                /**
                 * @description The start of the run: by the `schedule`, or by an `admin`
                 * @enum {string}
                 */
                trigger: "schedule" | "admin";
                /** @description Whether it only counted */
                dry_run: boolean;
                /**
                 * @description How it ended
                 * @enum {string}
                 */
                state: "completed" | "failed" | "cancelled";
                /** @description How many each policy has removed, or counted in a dry run */
                counts: {
                    [key: string]: number;
                };
                /** @description The policies that failed */
                failed_policies: components["schemas"]["Policy"][];
            };
        };
        /**
         * @description An admin tries the webhook
         * @example {
         *       "type": "webhook.test",
         *       "timestamp": "2026-01-31T20:15:00Z",
         *       "data": {
         *         "webhook_id": "01993f7f-0a1b-7c2d-8e3f-405162738495"
         *       }
         *     }
         */
        WebhookTestMessage: {
            /**
             * @description The kind of the event
             * @enum {string}
             */
            type: "webhook.test";
            /**
             * Format: date-time
             * @description When it happened
             */
            timestamp: string;
            /** @description The data of the event */
            data: {
                webhook_id: components["schemas"]["ID"];
            };
        };
        /**
         * @description The work of a job. `WelcomeEmail`, `VerificationEmail`, `PasswordResetEmail`, `PasswordChangedNotice`,
         *     `EmailChangedNotice`, `RoomInvitation`, `ReportEmail`, `PartyEmail`: sends the emails of this kind, with their
         *     reminders. `Resend`: sends an email again that an admin resent. `ProcessAvatar`: renders an upload. `Cleanup`: a
         *     clean-up run. `DeleteAccount`: removes the data of a deleted account. `ActivityReport`: makes a report.
         *     `WebhookDelivery`: delivers a message to a webhook. `ScheduledParty`: reminds the guests of a party and starts
         *     it.
         * @enum {string}
         */
        JobKind: "WelcomeEmail" | "VerificationEmail" | "PasswordResetEmail" | "PasswordChangedNotice" | "EmailChangedNotice" | "RoomInvitation" | "ReportEmail" | "Resend" | "ProcessAvatar" | "Cleanup" | "DeleteAccount" | "ActivityReport" | "WebhookDelivery" | "ScheduledParty" | "PartyEmail";
        /**
         * @description The state of a job. `running`: it has not ended. `completed`: it has done its work. `failed`: it has given up.
         *     `cancelled`: it was cancelled and has cleaned up. `terminated`: an admin or operator ended it at once.
         *     `timed_out`: it ran out of time.
         * @enum {string}
         */
        JobState: "running" | "completed" | "failed" | "cancelled" | "terminated" | "timed_out";
        /**
         * @description A task queue. `email`: emails. `avatar`: the rendering of avatars; its workers serve `avatar-steps`, too.
         *     `maintenance`: clean-up, reports and deletions of accounts. `webhooks`: deliveries to webhooks.
         * @enum {string}
         */
        WorkerQueue: "email" | "avatar" | "maintenance" | "webhooks";
        /**
         * @description The phase of a running job. `working`: a step is under way, or is about to begin. `waiting`: the job waits on
         *     purpose, for a time, an answer, or the end of a pause. `retrying`: a step has failed, and is tried again by
         *     itself. `stuck`: a step has failed ten times. `no_worker`: work is due, and the queue has no worker, or no
         *     worker has taken the work for two minutes.
         * @enum {string}
         */
        JobPhase: "working" | "waiting" | "retrying" | "stuck" | "no_worker";
        /**
         * @description One run of a workflow
         * @example {
         *       "id": "cm9vbS1pbnZpdGF0aW9uLzAxOTkzZjc1CjAxOTkzZjdh",
         *       "workflow_id": "room-invitation/01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *       "run_id": "01993f7a-0000-7000-8000-000000000001",
         *       "kind": "RoomInvitation",
         *       "queue": "email",
         *       "summary": "Room invitation",
         *       "state": "running",
         *       "phase": "retrying",
         *       "user_id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *       "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *       "started_at": "2026-01-31T20:15:00Z",
         *       "ended_at": null,
         *       "events": 5,
         *       "temporal_url": "https://ui.example/namespaces/default/workflows/room-invitation%2F01993f75/01993f7a/history",
         *       "steps": [
         *         {
         *           "id": "5",
         *           "activity": "SendEmail",
         *           "state": "scheduled",
         *           "attempt": 3,
         *           "max_attempts": 150,
         *           "last_failure": "temporary (code 451)",
         *           "scheduled_at": "2026-01-31T20:15:00Z",
         *           "started_at": "2026-01-31T20:15:16Z",
         *           "heartbeat_at": null,
         *           "next_attempt_at": "2026-01-31T20:15:36Z",
         *           "deadline_at": null,
         *           "worker": "7@worker-1@"
         *         }
         *       ],
         *       "timeline": [
         *         {
         *           "id": 1,
         *           "at": "2026-01-31T20:15:00Z",
         *           "kind": "started",
         *           "detail": "RoomInvitation"
         *         }
         *       ],
         *       "timeline_truncated": false,
         *       "failure": null,
         *       "waits_for": null,
         *       "waits_until": null
         *     }
         */
        Job: {
            /** @description The ID of the job in these operations */
            id: string;
            /** @description The ID of the workflow in Temporal */
            workflow_id: string;
            /** @description The ID of the run in Temporal */
            run_id: string;
            /** @description The kind of the workflow, see `JobKind`; operators may start other kinds */
            kind: string;
            /** @description The task queue of the workflow, see `TaskQueue.name` */
            queue: string;
            /** @description What it does, in a line; null in lists of jobs that have ended */
            summary: string | null;
            state: components["schemas"]["JobState"];
            /** @description The phase of a running job; null when it has ended */
            phase: (string & components["schemas"]["JobPhase"]) | null;
            /** @description The account that it is about; null for none */
            user_id: string | null;
            /** @description The room that it is about; null for none */
            room_id: string | null;
            /**
             * Format: date-time
             * @description When it began
             */
            started_at: string;
            /**
             * Format: date-time
             * @description When it ended; null while it runs
             */
            ended_at: string | null;
            /**
             * Format: int64
             * @description The length of its history
             */
            events: number;
            /**
             * Format: uri
             * @description Where the Temporal UI shows it
             */
            temporal_url: string;
            /** @description The steps that it has begun and not ended; null in lists */
            steps: components["schemas"]["JobStep"][] | null;
            /** @description Its history, the first event first; null in lists */
            timeline: components["schemas"]["JobEvent"][] | null;
            /** @description Whether the middle of a long history is left out */
            timeline_truncated: boolean;
            /** @description Why it failed; null otherwise and in lists */
            failure: string | null;
            /**
             * @description The end of the wait that the job is in on purpose, such as the end of the pause of a queue, or the worker
             *     that is missing; null otherwise and in lists
             */
            waits_for: string | null;
            /**
             * Format: date-time
             * @description When the wait ends; null if the job does not wait for a time, and in lists
             */
            waits_until: string | null;
        };
        /** @description An activity that has not ended */
        JobStep: {
            /** @description Its ID in the job */
            id: string;
            /** @description Its type */
            activity: string;
            /**
             * @description The state of the step. `scheduled`: it waits for a worker, or for its next attempt. `started`: a worker is
             *     at work. `paused`: an operator has paused it in Temporal. `cancel_requested`: it ends as soon as its worker
             *     notices the cancellation.
             * @enum {string}
             */
            state: "scheduled" | "started" | "paused" | "cancel_requested";
            /** @description The number of the attempt that runs, or comes next */
            attempt: number;
            /** @description The number of the last attempt; null without a limit */
            max_attempts: number | null;
            /** @description Why the last attempt failed; null before the first failure */
            last_failure: string | null;
            /**
             * Format: date-time
             * @description When the first attempt was due
             */
            scheduled_at: string;
            /**
             * Format: date-time
             * @description When the last attempt began; null before the first
             */
            started_at: string | null;
            /**
             * Format: date-time
             * @description When its last heartbeat came; null without one
             */
            heartbeat_at: string | null;
            /**
             * Format: date-time
             * @description When the next attempt is due; null unless it waits for it
             */
            next_attempt_at: string | null;
            /**
             * Format: date-time
             * @description When it is given up; null if only attempts count
             */
            deadline_at: string | null;
            /** @description The process that made the last attempt; null before the first */
            worker: string | null;
        };
        /** @description An entry of a job's history */
        JobEvent: {
            /**
             * Format: int64
             * @description Its number in the history
             */
            id: number;
            /**
             * Format: date-time
             * @description When it happened
             */
            at: string;
            /**
             * @description The kind of the event
             * @enum {string}
             */
            kind: "started" | "completed" | "failed" | "timed_out" | "cancelled" | "terminated" | "cancel_requested" | "signalled" | "reset" | "workflow_task_failed" | "timer_started" | "timer_fired" | "timer_cancelled" | "step_scheduled" | "step_started" | "step_completed" | "step_failed" | "step_timed_out" | "step_cancelled";
            /** @description More about it, without personal data; null without more */
            detail: string | null;
        };
        /**
         * @description A page of jobs
         * @example {
         *       "data": [
         *         {
         *           "id": "cm9vbS1pbnZpdGF0aW9uLzAxOTkzZjc1CjAxOTkzZjdh",
         *           "workflow_id": "room-invitation/01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *           "run_id": "01993f7a-0000-7000-8000-000000000001",
         *           "kind": "RoomInvitation",
         *           "queue": "email",
         *           "summary": "Room invitation",
         *           "state": "running",
         *           "phase": "retrying",
         *           "user_id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "started_at": "2026-01-31T20:15:00Z",
         *           "ended_at": null,
         *           "events": 5,
         *           "temporal_url": "https://ui.example/namespaces/default/workflows/room-invitation%2F01993f75/01993f7a/history",
         *           "steps": null,
         *           "timeline": null,
         *           "timeline_truncated": false,
         *           "failure": null,
         *           "waits_for": null,
         *           "waits_until": null
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        JobList: {
            /** @description The jobs of this page */
            data: components["schemas"]["Job"][];
            /** @description Where the next page starts; null at the end. It has the token of Temporal, of any length. */
            next_cursor: string | null;
        };
        /**
         * @description A job
         * @example {
         *       "data": {
         *         "id": "cm9vbS1pbnZpdGF0aW9uLzAxOTkzZjc1CjAxOTkzZjdh",
         *         "workflow_id": "room-invitation/01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *         "run_id": "01993f7a-0000-7000-8000-000000000001",
         *         "kind": "RoomInvitation",
         *         "queue": "email",
         *         "summary": "Room invitation",
         *         "state": "running",
         *         "phase": "retrying",
         *         "user_id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "started_at": "2026-01-31T20:15:00Z",
         *         "ended_at": null,
         *         "events": 5,
         *         "temporal_url": "https://ui.example/namespaces/default/workflows/room-invitation%2F01993f75/01993f7a/history",
         *         "steps": [
         *           {
         *             "id": "5",
         *             "activity": "SendEmail",
         *             "state": "scheduled",
         *             "attempt": 3,
         *             "max_attempts": 150,
         *             "last_failure": "temporary (code 451)",
         *             "scheduled_at": "2026-01-31T20:15:00Z",
         *             "started_at": "2026-01-31T20:15:16Z",
         *             "heartbeat_at": null,
         *             "next_attempt_at": "2026-01-31T20:15:36Z",
         *             "deadline_at": null,
         *             "worker": "7@worker-1@"
         *           }
         *         ],
         *         "timeline": [
         *           {
         *             "id": 1,
         *             "at": "2026-01-31T20:15:00Z",
         *             "kind": "started",
         *             "detail": "RoomInvitation"
         *           }
         *         ],
         *         "timeline_truncated": false,
         *         "failure": null,
         *         "waits_for": null,
         *         "waits_until": null
         *       }
         *     }
         */
        JobAnswer: {
            data: components["schemas"]["Job"];
        };
        /** @description How many jobs of a kind are in which state */
        JobCount: {
            kind: components["schemas"]["JobKind"];
            /** @description The numbers by state, see `JobState`; without those that are 0 */
            states: {
                [key: string]: number;
            };
        };
        /** @description How many jobs there are */
        JobCounts: {
            /**
             * Format: int64
             * @description How many jobs match, about
             */
            total: number;
            /** @description All kinds */
            kinds: components["schemas"]["JobCount"][];
        };
        /**
         * @description How many jobs there are
         * @example {
         *       "data": {
         *         "total": 123,
         *         "kinds": [
         *           {
         *             "kind": "WelcomeEmail",
         *             "states": {
         *               "running": 3,
         *               "completed": 120
         *             }
         *           }
         *         ]
         *       }
         *     }
         */
        JobCountsAnswer: {
            data: components["schemas"]["JobCounts"];
        };
        /** @description The effect of a retry */
        Retry: {
            /**
             * @description `tried_now`: the next attempt was brought forward. `new_email`: another email was queued. `new_run`: another
             *     clean-up run was queued. `reset`: the job goes on from its last good point, as another run.
             * @enum {string}
             */
            how: "tried_now" | "new_email" | "new_run" | "reset";
            /** @description The workflow that is at work */
            workflow_id: string;
            /** @description The job; null while its event is in the outbox */
            job: components["schemas"]["Job"] | null;
        };
        /**
         * @description The effect of a retry
         * @example {
         *       "data": {
         *         "how": "tried_now",
         *         "workflow_id": "room-invitation/01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *         "job": {
         *           "id": "cm9vbS1pbnZpdGF0aW9uLzAxOTkzZjc1CjAxOTkzZjdh",
         *           "workflow_id": "room-invitation/01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *           "run_id": "01993f7a-0000-7000-8000-000000000001",
         *           "kind": "RoomInvitation",
         *           "queue": "email",
         *           "summary": "Room invitation",
         *           "state": "running",
         *           "phase": "retrying",
         *           "user_id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "started_at": "2026-01-31T20:15:00Z",
         *           "ended_at": null,
         *           "events": 5,
         *           "temporal_url": "https://ui.example/namespaces/default/workflows/room-invitation%2F01993f75/01993f7a/history",
         *           "steps": [
         *             {
         *               "id": "5",
         *               "activity": "SendEmail",
         *               "state": "scheduled",
         *               "attempt": 3,
         *               "max_attempts": 150,
         *               "last_failure": "temporary (code 451)",
         *               "scheduled_at": "2026-01-31T20:15:00Z",
         *               "started_at": "2026-01-31T20:15:16Z",
         *               "heartbeat_at": null,
         *               "next_attempt_at": "2026-01-31T20:15:36Z",
         *               "deadline_at": null,
         *               "worker": "7@worker-1@"
         *             }
         *           ],
         *           "timeline": [
         *             {
         *               "id": 1,
         *               "at": "2026-01-31T20:15:00Z",
         *               "kind": "started",
         *               "detail": "RoomInvitation"
         *             }
         *           ],
         *           "timeline_truncated": false,
         *           "failure": null,
         *           "waits_for": null,
         *           "waits_until": null
         *         }
         *       }
         *     }
         */
        RetryAnswer: {
            data: components["schemas"]["Retry"];
        };
        /**
         * @description An action, and the jobs that it applies to
         * @example {
         *       "action": "retry",
         *       "kind": "ActivityReport",
         *       "state": "failed",
         *       "expected": 3
         *     }
         */
        JobBatch: {
            /**
             * @description The act on each job: `cancel`, `terminate` or `retry`, as the operations for one job do it
             * @enum {string}
             */
            action: "cancel" | "terminate" | "retry";
            /**
             * @description Only jobs of this kind
             * @enum {string|null}
             */
            kind?: "WelcomeEmail" | "VerificationEmail" | "PasswordResetEmail" | "PasswordChangedNotice" | "EmailChangedNotice" | "RoomInvitation" | "ReportEmail" | "Resend" | "ProcessAvatar" | "Cleanup" | "DeleteAccount" | "ActivityReport" | "WebhookDelivery" | "ScheduledParty" | "PartyEmail" | null;
            /**
             * @description Only jobs in this state; without it `running`, and `failed` for a retry
             * @enum {string|null}
             */
            state?: "running" | "completed" | "failed" | "cancelled" | "terminated" | "timed_out" | null;
            /**
             * @description Only jobs whose workflow runs on this task queue
             * @enum {string|null}
             */
            queue?: "email" | "avatar" | "maintenance" | "webhooks" | null;
            /**
             * Format: uuid
             * @description Only those about this account
             */
            user_id?: string | null;
            /**
             * Format: uuid
             * @description Only those about this room
             */
            room_id?: string | null;
            /**
             * Format: date-time
             * @description Only those that began at this time or later
             */
            from?: string | null;
            /**
             * Format: date-time
             * @description Only those that began before this time
             */
            to?: string | null;
            /**
             * @description Whether only to count
             * @default false
             */
            dry_run?: boolean | null;
            /**
             * Format: int64
             * @description The count of the dry run; needed without `dry_run`
             */
            expected?: number | null;
        };
        /** @description The result of an act on many jobs */
        JobBatchResult: {
            /**
             * Format: uuid
             * @description The ID in the audit log, in the details of each act; null for a dry run
             */
            id: string | null;
            /**
             * Format: int64
             * @description How many jobs match, about
             */
            matched: number;
            /** @description On how many jobs the act was done */
            done: number;
            /** @description How many had ended meanwhile or had nothing to retry */
            skipped: number;
            /** @description How many acts have failed */
            failed: number;
            /**
             * Format: int64
             * @description The number of matching jobs that this request did not act on
             */
            left: number;
        };
        /**
         * @description The result of an act on many jobs
         * @example {
         *       "data": {
         *         "id": "01993f7b-0000-7000-8000-000000000001",
         *         "matched": 3,
         *         "done": 2,
         *         "skipped": 1,
         *         "failed": 0,
         *         "left": 0
         *       }
         *     }
         */
        JobBatchAnswer: {
            data: components["schemas"]["JobBatchResult"];
        };
        /**
         * @description A task queue
         * @example {
         *       "name": "email",
         *       "pausable": true,
         *       "paused_at": null,
         *       "note": "",
         *       "backlog": 0,
         *       "backlog_age_seconds": 0,
         *       "added_per_second": 0.1,
         *       "done_per_second": 0.1,
         *       "workers": [
         *         {
         *           "identity": "7@worker-1@",
         *           "last_poll_at": "2026-01-31T20:15:00Z",
         *           "activities": true,
         *           "workflows": true
         *         }
         *       ]
         *     }
         */
        TaskQueue: {
            /**
             * @description The name of the task queue
             * @enum {string}
             */
            name: "email" | "avatar" | "avatar-steps" | "maintenance" | "webhooks";
            /** @description Whether it can be paused */
            pausable: boolean;
            /**
             * Format: date-time
             * @description When the queue was paused; null if it is not paused
             */
            paused_at: string | null;
            /** @description Why it is paused; empty without a reason */
            note: string;
            /**
             * Format: int64
             * @description How many tasks wait, about; null while Temporal is down
             */
            backlog: number | null;
            /** @description For how long the oldest has waited, about; null while Temporal is down */
            backlog_age_seconds: number | null;
            /** @description Tasks added per second; null while Temporal is down */
            added_per_second: number | null;
            /** @description Tasks taken by workers per second; null while Temporal is down */
            done_per_second: number | null;
            /** @description The workers that asked for tasks in the last two minutes; null while Temporal is down */
            workers: components["schemas"]["QueueWorker"][] | null;
        };
        /** @description A process that serves a queue */
        QueueWorker: {
            /** @description The process ID and the host name */
            identity: string;
            /**
             * Format: date-time
             * @description When it last asked for a task
             */
            last_poll_at: string;
            /** @description Whether it polls for activities; nobody does while the queue is paused */
            activities: boolean;
            /** @description Whether it polls for workflow tasks */
            workflows: boolean;
        };
        /** @description All task queues */
        TaskQueues: {
            /** @description The queues */
            queues: components["schemas"]["TaskQueue"][];
            temporal: components["schemas"]["TemporalState"];
        };
        /**
         * @description All task queues
         * @example {
         *       "data": {
         *         "queues": [
         *           {
         *             "name": "email",
         *             "pausable": true,
         *             "paused_at": null,
         *             "note": "",
         *             "backlog": 0,
         *             "backlog_age_seconds": 0,
         *             "added_per_second": 0.1,
         *             "done_per_second": 0.1,
         *             "workers": [
         *               {
         *                 "identity": "7@worker-1@",
         *                 "last_poll_at": "2026-01-31T20:15:00Z",
         *                 "activities": true,
         *                 "workflows": true
         *               }
         *             ]
         *           }
         *         ],
         *         "temporal": "connected"
         *       }
         *     }
         */
        TaskQueuesAnswer: {
            data: components["schemas"]["TaskQueues"];
        };
        /**
         * @description Whether the Temporal server answers. `connected`: it does. `down`: it does not.
         * @enum {string}
         */
        TemporalState: "connected" | "down";
        /**
         * @description An event that starts a workflow, or signals to one
         * @example {
         *       "id": "01993f7c-0000-7000-8000-000000000001",
         *       "workflow_id": "welcome-email/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *       "signal": null,
         *       "kind": "WelcomeEmail",
         *       "queue": "email",
         *       "state": "pending",
         *       "attempts": 2,
         *       "last_error": "Temporal is down",
         *       "next_attempt_at": "2026-01-31T20:15:05Z",
         *       "created_at": "2026-01-31T20:15:00Z"
         *     }
         */
        OutboxEvent: {
            id: components["schemas"]["ID"];
            /** @description The ID of the workflow */
            workflow_id: string;
            /** @description The signal; null for a start */
            signal: string | null;
            /** @description The kind of the workflow, see `JobKind` */
            kind: string;
            /** @description The task queue */
            queue: string;
            /**
             * @description The state of the event. `pending`: Temporal does not have it yet. `started`: Temporal has it. `abandoned`:
             *     Temporal refused it for 30 days, and it is not tried again by itself.
             * @enum {string}
             */
            state: "pending" | "started" | "abandoned";
            /** @description How often it was tried */
            attempts: number;
            /** @description The last error of Temporal; null without one */
            last_error: string | null;
            /**
             * Format: date-time
             * @description When it is tried next; null if it is not
             */
            next_attempt_at: string | null;
            /**
             * Format: date-time
             * @description When it was added
             */
            created_at: string;
        };
        /**
         * @description An event of the outbox
         * @example {
         *       "data": {
         *         "id": "01993f7c-0000-7000-8000-000000000001",
         *         "workflow_id": "welcome-email/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "signal": null,
         *         "kind": "WelcomeEmail",
         *         "queue": "email",
         *         "state": "pending",
         *         "attempts": 2,
         *         "last_error": "Temporal is down",
         *         "next_attempt_at": "2026-01-31T20:15:05Z",
         *         "created_at": "2026-01-31T20:15:00Z"
         *       }
         *     }
         */
        OutboxEventAnswer: {
            data: components["schemas"]["OutboxEvent"];
        };
        /** @description The events that Temporal does not have */
        OutboxSummary: {
            /** @description How many wait */
            waiting: number;
            /** @description How many were given up after 30 days */
            abandoned: number;
            /**
             * Format: date-time
             * @description When the oldest waiting event was added; null if none waits
             */
            oldest_at: string | null;
            /** @description The last error of one that waits; null if there is none */
            last_error: string | null;
        };
        /**
         * @description A page of events
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f7c-0000-7000-8000-000000000001",
         *           "workflow_id": "welcome-email/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "signal": null,
         *           "kind": "WelcomeEmail",
         *           "queue": "email",
         *           "state": "pending",
         *           "attempts": 2,
         *           "last_error": "Temporal is down",
         *           "next_attempt_at": "2026-01-31T20:15:05Z",
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        OutboxEventList: {
            /** @description The events of this page */
            data: components["schemas"]["OutboxEvent"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @description The events that Temporal does not have
         * @example {
         *       "data": {
         *         "waiting": 1,
         *         "abandoned": 0,
         *         "oldest_at": "2026-01-31T20:15:00Z",
         *         "last_error": "Temporal is down"
         *       }
         *     }
         */
        OutboxAnswer: {
            data: components["schemas"]["OutboxSummary"];
        };
        /** @description A clean-up policy */
        CleanupPolicy: {
            policy: components["schemas"]["Policy"];
            /** @description Whether it is on */
            enabled: boolean;
            /**
             * Format: int64
             * @description The age in seconds after which it removes something; null if it is off
             */
            age_seconds: number | null;
            /** @description The setting of the age */
            setting: string;
        };
        /**
         * @description All clean-up policies, in the order of a run
         * @example {
         *       "data": [
         *         {
         *           "policy": "old_messages",
         *           "enabled": true,
         *           "age_seconds": 7776000,
         *           "setting": "CLEANUP_MESSAGE_AGE"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        CleanupPolicyList: {
            /** @description The policies */
            data: components["schemas"]["CleanupPolicy"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /** @description Work that makes no progress, although it should */
        Delay: {
            /**
             * @description `events`: events of the outbox that Temporal does not accept. `emails`: emails whose attempt is overdue by
             *     five minutes. `refused`: emails that the mail server has refused more than ten times. `avatars`: avatars
             *     that are not rendered. `runs`: clean-up runs that do not begin or make no progress. `deletions`: deleted
             *     accounts whose data is still there after an hour. `webhooks`: webhooks that were switched off because they
             *     failed.
             * @enum {string}
             */
            what: "events" | "emails" | "refused" | "avatars" | "runs" | "deletions" | "webhooks";
            /** @description The number of delayed things */
            count: number;
            /**
             * Format: date-time
             * @description Since when the oldest is late
             */
            oldest_at: string;
        };
        /** @description The work that ended in a span of time */
        Throughput: {
            /**
             * Format: date-time
             * @description The start of the span
             */
            from: string;
            /** @description Emails that the mail server took */
            emails_sent: number;
            /** @description Emails that were given up */
            emails_failed: number;
            /** @description Uploads of avatars that were rendered and published */
            avatars_ready: number;
            /** @description Uploads of avatars that failed */
            avatars_failed: number;
            /** @description Clean-up runs that were completed */
            cleanups_completed: number;
            /** @description Clean-up runs that failed */
            cleanups_failed: number;
            /** @description Jobs that the outbox started */
            jobs_started: number;
            /**
             * Format: int64
             * @description How many jobs failed, about, as far as Temporal still has them; null while Temporal is down
             */
            jobs_failed: number | null;
        };
        /** @description An overview of the service */
        Overview: {
            health: components["schemas"]["Health"];
            temporal: components["schemas"]["TemporalState"];
            /** @description Work that is late; empty if there is none */
            late: components["schemas"]["Delay"][];
            /**
             * Format: date-time
             * @description When emails were paused; null if they are not paused
             */
            emails_paused_at: string | null;
            /** @description How many emails are still to be sent */
            emails_waiting: number;
            outbox: components["schemas"]["OutboxSummary"];
            /** @description The queues */
            queues: components["schemas"]["TaskQueue"][];
            /**
             * Format: int64
             * @description How many jobs run, about, also those that wait on purpose; null while Temporal is down
             */
            jobs_running: number | null;
            /**
             * Format: int64
             * @description How many jobs failed in the last day, about; null while Temporal is down
             */
            jobs_failed_last_day: number | null;
            /** @description Twelve spans of five minutes, the oldest first */
            last_hour: components["schemas"]["Throughput"][];
            /** @description Seven spans of a day, the oldest first */
            last_week: components["schemas"]["Throughput"][];
        };
        /**
         * @description An overview of the service
         * @example {
         *       "data": {
         *         "health": {
         *           "status": "degraded",
         *           "database": "connected",
         *           "redis": "connected",
         *           "temporal": "connected",
         *           "workers": "no worker for email",
         *           "schedules": "connected",
         *           "bucket": "connected",
         *           "emails": "connected",
         *           "emails_sent_at": "2026-03-02T20:14:31Z",
         *           "degraded": [
         *             {
         *               "part": "workers",
         *               "state": "no worker for email",
         *               "since": "2026-03-02T19:55:00Z",
         *               "effect": "Emails, new avatars, clean-up or reports wait, whichever have no worker. Everything else works."
         *             }
         *           ]
         *         },
         *         "temporal": "connected",
         *         "late": [
         *           {
         *             "what": "events",
         *             "count": 1,
         *             "oldest_at": "2026-01-31T20:15:00Z"
         *           }
         *         ],
         *         "emails_paused_at": null,
         *         "emails_waiting": 1,
         *         "outbox": {
         *           "waiting": 1,
         *           "abandoned": 0,
         *           "oldest_at": "2026-01-31T20:15:00Z",
         *           "last_error": "Temporal is down"
         *         },
         *         "queues": [
         *           {
         *             "name": "email",
         *             "pausable": true,
         *             "paused_at": null,
         *             "note": "",
         *             "backlog": 0,
         *             "backlog_age_seconds": 0,
         *             "added_per_second": 0.1,
         *             "done_per_second": 0.1,
         *             "workers": [
         *               {
         *                 "identity": "7@worker-1@",
         *                 "last_poll_at": "2026-01-31T20:15:00Z",
         *                 "activities": true,
         *                 "workflows": true
         *               }
         *             ]
         *           }
         *         ],
         *         "jobs_running": 3,
         *         "jobs_failed_last_day": 0,
         *         "last_hour": [
         *           {
         *             "from": "2026-01-31T20:15:00Z",
         *             "emails_sent": 3,
         *             "emails_failed": 0,
         *             "avatars_ready": 1,
         *             "avatars_failed": 0,
         *             "cleanups_completed": 1,
         *             "cleanups_failed": 0,
         *             "jobs_started": 5,
         *             "jobs_failed": 0
         *           }
         *         ],
         *         "last_week": [
         *           {
         *             "from": "2026-01-31T20:15:00Z",
         *             "emails_sent": 3,
         *             "emails_failed": 0,
         *             "avatars_ready": 1,
         *             "avatars_failed": 0,
         *             "cleanups_completed": 1,
         *             "cleanups_failed": 0,
         *             "jobs_started": 5,
         *             "jobs_failed": 0
         *           }
         *         ]
         *       }
         *     }
         */
        OverviewAnswer: {
            data: components["schemas"]["Overview"];
        };
        /**
         * @description An act of an admin, or of the service by itself. The names say who or what was acted on, and how.
         *     `message_removed`: an admin deleted a message. `private_room_read`: an admin read the messages of a private
         *     room. `webhook_switched_off` without an actor: the service did it, since the webhook failed for days or its
         *     receiver answered 410. `schedule_triggered`: a run was started at once. `schedule_backfilled`: the runs of a
         *     past period were started. `event_requeued`: an event of the outbox was retried.
         * @enum {string}
         */
        AuditAction: "user_suspended" | "user_reinstated" | "user_sessions_ended" | "user_session_ended" | "admin_granted" | "admin_revoked" | "movie_created" | "movie_updated" | "movie_deleted" | "cleanup_started" | "cleanup_cancelled" | "room_restored" | "room_closed" | "room_reopened" | "private_room_read" | "message_removed" | "abuse_report_resolved" | "schedule_paused" | "schedule_resumed" | "schedule_triggered" | "schedule_backfilled" | "email_resent" | "email_cancelled" | "job_cancelled" | "job_terminated" | "job_retried" | "queue_paused" | "queue_resumed" | "event_requeued" | "webhook_created" | "webhook_updated" | "webhook_deleted" | "webhook_secret_rotated" | "webhook_switched_on" | "webhook_switched_off" | "webhook_tested" | "webhook_redelivered" | "webhook_replayed";
        /**
         * @description The kind of thing that an act was done to. `target_id` is the ID of the thing; for a `schedule` and a `job` it
         *     is an ID that is made from the name of the schedule, or from the ID of the workflow.
         * @enum {string}
         */
        AuditTargetKind: "user" | "movie" | "cleanup_run" | "room" | "message" | "abuse_report" | "schedule" | "email" | "job" | "queue_pause" | "outbox_event" | "webhook" | "webhook_delivery";
        /**
         * @description `done`: the act is carried out. An act on the service's own data is always `done`. An act on Temporal, such as
         *     on a schedule or a job, is listed before it is carried out: then it is `pending` for a minute at most, `failed`
         *     if it was refused, and `unknown` if there was no answer or the process ended.
         * @enum {string}
         */
        AuditOutcome: "pending" | "done" | "failed" | "unknown";
        /**
         * @description An entry of the audit log
         * @example {
         *       "id": "01993f7a-b5c6-77e8-99fa-1b2c3d4e5f60",
         *       "actor": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "action": "user_suspended",
         *       "target_kind": "user",
         *       "target_id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *       "target": {
         *         "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *         "username": "dave",
         *         "display_name": "Dave",
         *         "avatar": {
         *           "default": true,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *         }
         *       },
         *       "details": {
         *         "reason": "Spam",
         *         "hide_content": true
         *       },
         *       "outcome": "done",
         *       "created_at": "2026-01-31T20:30:00Z"
         *     }
         */
        AuditEntry: {
            id: components["schemas"]["ID"];
            /**
             * @description The admin. It is null for an act of an operator or of the service itself. For a deleted account it has the
             *     former username, also as the display name, and the generated picture.
             */
            actor: components["schemas"]["Person"] | null;
            action: components["schemas"]["AuditAction"];
            target_kind: components["schemas"]["AuditTargetKind"];
            target_id: components["schemas"]["ID"];
            /** @description The account that it was done to; null for other things, and when the account is deleted */
            target: components["schemas"]["Person"] | null;
            details: components["schemas"]["ActDetails"];
            outcome: components["schemas"]["AuditOutcome"];
            /**
             * Format: date-time
             * @description When it was done
             */
            created_at: string;
        };
        /**
         * @description A clean-up policy. A setting says after how long it removes something, or that it is off.
         *     `inactive_participants`: people in rooms who have not been seen. `old_messages`: messages. `inactive_rooms`:
         *     archives rooms in which nothing happens and no party is scheduled; an admin or the host can open them again.
         *     `archived_rooms`: deletes for good the rooms which that policy has archived, and those that hosts have deleted.
         *     `unverified_accounts`: accounts that were never confirmed, and not used. `expired_tokens`, `ended_sessions`,
         *     `ended_invitations`, `idempotency_keys`: what their names say. `past_parties`: parties that have started or were
         *     cancelled, with the answers. `resolved_reports`: resolved reports of abuse, with what was reported.
         *     `old_emails`: the history of emails, with their attempts. `old_webhook_deliveries`: the history of webhooks.
         *     `started_events`: events of the outbox. `old_activity`: who was active on which day, and in which room when; the
         *     figures of days stay. `orphaned_files`: files whose upload was never committed.
         * @enum {string}
         */
        Policy: "inactive_participants" | "old_messages" | "inactive_rooms" | "archived_rooms" | "unverified_accounts" | "expired_tokens" | "ended_sessions" | "ended_invitations" | "past_parties" | "idempotency_keys" | "resolved_reports" | "old_emails" | "old_webhook_deliveries" | "started_events" | "old_activity" | "orphaned_files";
        /**
         * @example {
         *       "policies": [
         *         "old_messages"
         *       ],
         *       "dry_run": true,
         *       "older_than": "90d"
         *     }
         */
        StartCleanupRequest: {
            /** @description The policies to apply; without it, all policies that are on. A policy that is off is refused. */
            policies?: components["schemas"]["Policy"][] | null;
            /**
             * @description Whether to only count what would be removed, with some examples
             * @default false
             */
            dry_run?: boolean | null;
            /**
             * @description The age in place of the policies' own ones: a number of seconds (s), minutes (m), hours (h) or days (d), at
             *     least an hour
             */
            older_than?: string | null;
        };
        /**
         * @description Where to follow a run of the clean-up
         * @example {
         *       "run_id": "01993f7b-c6d7-78f9-aafb-2c3d4e5f6071",
         *       "status_url": "https://party.example/api/admin/cleanup/runs/01993f7b-c6d7-78f9-aafb-2c3d4e5f6071",
         *       "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22cleanup%2F01993f7b-c6d7-78f9-aafb-2c3d4e5f6071%22"
         *     }
         */
        CleanupStarted: {
            run_id: components["schemas"]["ID"];
            /**
             * Format: uri
             * @description The URL of the run in this API, which shows its progress
             */
            status_url: string;
            /**
             * Format: uri
             * @description Where the Temporal UI shows the run
             */
            temporal_url: string;
        };
        /**
         * @description A run of the clean-up
         * @example {
         *       "id": "01993f7b-c6d7-78f9-aafb-2c3d4e5f6071",
         *       "trigger": "admin",
         *       "started_by": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "policies": [
         *         "old_messages",
         *         "expired_tokens"
         *       ],
         *       "dry_run": false,
         *       "older_than_seconds": null,
         *       "state": "running",
         *       "policy": "expired_tokens",
         *       "counts": {
         *         "old_messages": 1200,
         *         "expired_tokens": 31
         *       },
         *       "samples": {},
         *       "errors": {},
         *       "created_at": "2026-01-31T03:00:00Z",
         *       "started_at": "2026-01-31T03:00:01Z",
         *       "cancelled_at": null,
         *       "ended_at": null,
         *       "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22cleanup%2F01993f7b-c6d7-78f9-aafb-2c3d4e5f6071%22"
         *     }
         */
        CleanupRun: {
            id: components["schemas"]["ID"];
            /**
             * @description The start of the run: by the `schedule`, or by an `admin`
             * @enum {string}
             */
            trigger: "schedule" | "admin";
            /** @description The admin who started it; null for the schedule's, and when the account is deleted */
            started_by: components["schemas"]["Person"] | null;
            /** @description The policies that it applies */
            policies: components["schemas"]["Policy"][];
            /** @description Whether it only counts, and removes nothing */
            dry_run: boolean;
            /**
             * Format: int64
             * @description The age in seconds that replaces the policies' own ages; null if it does not
             */
            older_than_seconds: number | null;
            /**
             * @description The state of the run. `queued`: it has not begun. `running`: it applies its policies. `completed`: it has
             *     applied all of them. `failed`: it could not apply at least one policy, and has applied the others.
             *     `cancelled`: an admin cancelled it.
             * @enum {string}
             */
            state: "queued" | "running" | "completed" | "failed" | "cancelled";
            /** @description The policy that is applied now; null before and after */
            policy: (string & components["schemas"]["Policy"]) | null;
            /** @description How many rows or files each policy has removed so far, by policy; `inactive_rooms` counts archived rooms */
            counts: {
                [key: string]: number;
            };
            /**
             * @description By policy, at most ten IDs of what a dry run counted; a participant is the ID of the room and the ID of the
             *     user
             */
            samples: {
                [key: string]: string[];
            };
            /** @description The errors of the policies that stopped, by policy */
            errors: {
                [key: string]: string;
            };
            /**
             * Format: date-time
             * @description When it was requested
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it began; null before that
             */
            started_at: string | null;
            /**
             * Format: date-time
             * @description When an admin told it to stop; null otherwise
             */
            cancelled_at: string | null;
            /**
             * Format: date-time
             * @description When it ended; null before that
             */
            ended_at: string | null;
            /**
             * Format: uri
             * @description Where the Temporal UI shows it
             */
            temporal_url: string;
        };
        /**
         * @example {
         *       "start": "2026-01-01T00:00:00Z",
         *       "end": "2026-01-08T00:00:00Z"
         *     }
         */
        ScheduleBackfill: {
            /**
             * Format: date-time
             * @description The first moment of the period
             */
            start: string;
            /**
             * Format: date-time
             * @description The end of the period, at most 31 days after the start and not in the future
             */
            end: string;
        };
        /** @description A run that a schedule started */
        ScheduledRun: {
            /**
             * Format: date-time
             * @description When it was due
             */
            scheduled_at: string;
            /**
             * Format: date-time
             * @description When it began
             */
            started_at: string;
            /** @description The ID of its workflow; null if none was started */
            workflow_id: string | null;
            /** @description The ID that Temporal gave the run; null if none was started */
            run_id: string | null;
            /**
             * Format: uri
             * @description Where the Temporal UI shows it; null if none was started
             */
            temporal_url: string | null;
        };
        /**
         * @description A schedule
         * @example {
         *       "id": "cleanup",
         *       "paused": false,
         *       "note": "",
         *       "recent_runs": [
         *         {
         *           "scheduled_at": "2026-01-31T03:00:00Z",
         *           "started_at": "2026-01-31T03:00:00Z",
         *           "workflow_id": "cleanup-2026-01-31T03:00:00Z",
         *           "run_id": "01993f7b-d7e8-79fa-bb0c-3d4e5f607182",
         *           "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22cleanup-2026-01-31T03:00:00Z%22"
         *         }
         *       ],
         *       "next_runs": [
         *         "2026-02-01T03:00:00Z"
         *       ]
         *     }
         */
        Schedule: {
            /**
             * @description The ID of the schedule
             * @enum {string}
             */
            id: "cleanup" | "activity-report-weekly" | "activity-report-monthly";
            /** @description Whether it is paused */
            paused: boolean;
            /** @description Why it was last paused or resumed; empty if it never was */
            note: string;
            /** @description The latest ten runs, the latest first */
            recent_runs: components["schemas"]["ScheduledRun"][];
            /** @description When the next ten runs are due; while it is paused, when they would be */
            next_runs: components["schemas"]["Time"][];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "cleanup",
         *         "paused": false,
         *         "note": "",
         *         "recent_runs": [
         *           {
         *             "scheduled_at": "2026-01-31T03:00:00Z",
         *             "started_at": "2026-01-31T03:00:00Z",
         *             "workflow_id": "cleanup-2026-01-31T03:00:00Z",
         *             "run_id": "01993f7b-d7e8-79fa-bb0c-3d4e5f607182",
         *             "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22cleanup-2026-01-31T03:00:00Z%22"
         *           }
         *         ],
         *         "next_runs": [
         *           "2026-02-01T03:00:00Z"
         *         ]
         *       }
         *     }
         */
        ScheduleAnswer: {
            data: components["schemas"]["Schedule"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "cleanup",
         *           "paused": false,
         *           "note": "",
         *           "recent_runs": [
         *             {
         *               "scheduled_at": "2026-01-31T03:00:00Z",
         *               "started_at": "2026-01-31T03:00:00Z",
         *               "workflow_id": "cleanup-2026-01-31T03:00:00Z",
         *               "run_id": "01993f7b-d7e8-79fa-bb0c-3d4e5f607182",
         *               "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22cleanup-2026-01-31T03:00:00Z%22"
         *             }
         *           ],
         *           "next_runs": [
         *             "2026-02-01T03:00:00Z"
         *           ]
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        ScheduleList: {
            /** @description All schedules */
            data: components["schemas"]["Schedule"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @description A retired room: the clean-up has archived it
         * @example {
         *       "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *       "name": "Silent Sunday",
         *       "host": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         }
         *       },
         *       "retired_at": "2026-01-31T03:00:05Z",
         *       "deletion_due_at": "2026-05-01T03:00:05Z"
         *     }
         */
        RetiredRoom: {
            id: components["schemas"]["ID"];
            name: components["schemas"]["RoomName"];
            /** @description Its host; null without one */
            host: components["schemas"]["Person"] | null;
            /**
             * Format: date-time
             * @description When it was archived
             */
            retired_at: string;
            /**
             * Format: date-time
             * @description When it may be deleted; the first run after that does it. It is null while that policy is off.
             */
            deletion_due_at: string | null;
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "name": "Silent Sunday",
         *           "host": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "retired_at": "2026-01-31T03:00:05Z",
         *           "deletion_due_at": "2026-05-01T03:00:05Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        RetiredRoomList: {
            /** @description The rooms of this page */
            data: components["schemas"]["RetiredRoom"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @description The kind of a report. `cleanup`: a clean-up run. `activity`: the use of the service in a week or a month.
         * @enum {string}
         */
        ReportKind: "cleanup" | "activity";
        /**
         * @description A report for operators
         * @example {
         *       "id": "01993f7c-e8f9-7a0b-8c1d-4e5f60718293",
         *       "kind": "activity",
         *       "run_id": null,
         *       "period_start": "2026-01-19T00:00:00Z",
         *       "period_end": "2026-01-26T00:00:00Z",
         *       "page_url": "https://party.example/reports#token=c2lnbmVk",
         *       "data": {
         *         "every": "week",
         *         "from": "2026-01-19",
         *         "to": "2026-01-25",
         *         "counted_since": null,
         *         "figures": {
         *           "new_users": 12,
         *           "active_users": 40,
         *           "returning_users": 28,
         *           "rooms_opened": 9,
         *           "participants": 85,
         *           "minutes_together": 5400,
         *           "messages": 1200,
         *           "invitations_sent": 14,
         *           "invitations_accepted": 10,
         *           "emails_sent": 60,
         *           "emails_failed": 1,
         *           "avatars": 7,
         *           "removed": 31
         *         },
         *         "previous": {
         *           "new_users": 12,
         *           "active_users": 40,
         *           "returning_users": 28,
         *           "rooms_opened": 9,
         *           "participants": 85,
         *           "minutes_together": 5400,
         *           "messages": 1200,
         *           "invitations_sent": 14,
         *           "invitations_accepted": 10,
         *           "emails_sent": 60,
         *           "emails_failed": 1,
         *           "avatars": 7,
         *           "removed": 31
         *         },
         *         "removed_by": {
         *           "expired_tokens": 31
         *         },
         *         "days": [
         *           {
         *             "day": "2026-01-19",
         *             "figures": {
         *               "new_users": 12,
         *               "active_users": 40,
         *               "returning_users": 28,
         *               "rooms_opened": 9,
         *               "participants": 85,
         *               "minutes_together": 5400,
         *               "messages": 1200,
         *               "invitations_sent": 14,
         *               "invitations_accepted": 10,
         *               "emails_sent": 60,
         *               "emails_failed": 1,
         *               "avatars": 7,
         *               "removed": 31
         *             }
         *           }
         *         ]
         *       },
         *       "created_at": "2026-01-26T06:00:00Z"
         *     }
         */
        Report: {
            id: components["schemas"]["ID"];
            kind: components["schemas"]["ReportKind"];
            /**
             * Format: uuid
             * @description The run of the clean-up; null for other reports
             */
            run_id: string | null;
            /**
             * Format: date-time
             * @description The first moment that it covers
             */
            period_start: string;
            /**
             * Format: date-time
             * @description The moment after the last one that it covers
             */
            period_end: string;
            /**
             * Format: uri
             * @description The page of an activity report, which whoever has the address can read; null for other reports
             */
            page_url: string | null;
            /** @description The content of the report: an ActivityReport if `kind` is `activity`, a CleanupReport if it is `cleanup` */
            data: components["schemas"]["ActivityReport"] | components["schemas"]["CleanupReport"];
            /**
             * Format: date-time
             * @description When it was made
             */
            created_at: string;
        };
        /** @description The report of a clean-up run */
        CleanupReport: {
            /**
             * @description The start of the run: by the `schedule`, or by an `admin`
             * @enum {string}
             */
            trigger: "schedule" | "admin";
            /** @description Whether it only counted, and removed nothing */
            dry_run: boolean;
            /** @description The policies that it applied */
            policies: components["schemas"]["Policy"][];
            /**
             * @description How it ended
             * @enum {string}
             */
            state: "completed" | "failed" | "cancelled";
            /** @description How many rows or files each policy removed, by policy; `inactive_rooms` counts archived rooms */
            counts: {
                [key: string]: number;
            };
            /** @description What stopped a policy, for each that was stopped */
            errors: {
                [key: string]: string;
            };
            /**
             * @description By policy, at most ten IDs of what a dry run counted; a participant is the ID of the room and the ID of the
             *     user
             */
            samples: {
                [key: string]: string[];
            };
            /**
             * Format: int64
             * @description The age that replaced the ages of the policies; null if none did
             */
            older_than_seconds: number | null;
        };
        /**
         * @description The use of the service in a period. Days are days of UTC. Things are counted when their day is over, and stay
         *     counted if they are removed later. Accounts that were deleted before that are not counted.
         */
        ActivityReport: {
            /**
             * @description How long its period is
             * @enum {string}
             */
            every: "week" | "month";
            /**
             * Format: date
             * @description The first day
             */
            from: string;
            /**
             * Format: date
             * @description The last day
             */
            to: string;
            /**
             * Format: date
             * @description The first counted day, if the period began before it; null if all days were counted
             */
            counted_since: string | null;
            /** @description The figures of the days that were counted; null when none was */
            figures: components["schemas"]["ActivityFigures"] | null;
            /** @description The figures of the period before; null unless all of its days were counted */
            previous: components["schemas"]["ActivityFigures"] | null;
            /** @description The parts of `removed`, by policy; null when `figures` is null */
            removed_by: {
                [key: string]: number;
            } | null;
            /** @description Every day of the period, those without anything included */
            days: {
                /**
                 * Format: date
                 * @description The day
                 */
                day: string;
                /** @description The figures of the day; null for a day before counting began */
                figures: components["schemas"]["ActivityFigures"] | null;
            }[];
        };
        /** @description The figures of a time */
        ActivityFigures: {
            /**
             * Format: int64
             * @description Accounts that were created
             */
            new_users: number;
            /**
             * Format: int64
             * @description Accounts that were in a room or wrote a message; in a period each counts once
             */
            active_users: number;
            /**
             * Format: int64
             * @description Active accounts that are older than the day, or the period
             */
            returning_users: number;
            /**
             * Format: int64
             * @description Rooms that were opened
             */
            rooms_opened: number;
            /**
             * Format: int64
             * @description People in rooms, each once for each room and day
             */
            participants: number;
            /**
             * Format: int64
             * @description The minutes of each person while somebody else was present in the room with them, added up
             */
            minutes_together: number;
            /**
             * Format: int64
             * @description Messages that were posted
             */
            messages: number;
            /**
             * Format: int64
             * @description Invitations that were sent
             */
            invitations_sent: number;
            /**
             * Format: int64
             * @description Invitations that were accepted
             */
            invitations_accepted: number;
            /**
             * Format: int64
             * @description Emails that mail servers took
             */
            emails_sent: number;
            /**
             * Format: int64
             * @description Emails that could not be sent
             */
            emails_failed: number;
            /**
             * Format: int64
             * @description Avatars that were published
             */
            avatars: number;
            /**
             * Format: int64
             * @description Rows and files that the clean-up removed, and rooms that it archived
             */
            removed: number;
        };
        /**
         * @example {
         *       "data": {
         *         "html": "<main><h1>19 to 25 January 2026</h1></main>",
         *         "csv": "day,new_users\r\n2026-01-19,12\r\n",
         *         "filename": "activity-2026-01-19.csv"
         *       }
         *     }
         */
        ReportViewAnswer: {
            /** @description An activity report to show and to keep */
            data: {
                /** @description A `main` element, for a page with this service's /assets/report.css */
                html: string;
                /** @description The table of days, as in RFC 4180 */
                csv: string;
                /** @description A name for the file with the table */
                filename: string;
            };
        };
        /**
         * @description A problem, as in RFC 9457
         * @example {
         *       "type": "https://party.example/problems#invalid_request",
         *       "title": "The request is not valid",
         *       "status": 400,
         *       "code": "invalid_request",
         *       "detail": "The request is not valid: name.",
         *       "request_id": "01993f7e-0a1b-7c2d-8e3f-607182930415",
         *       "errors": [
         *         {
         *           "field": "name",
         *           "code": "too_short",
         *           "message": "must not be empty"
         *         }
         *       ]
         *     }
         */
        Problem: {
            /**
             * Format: uri
             * @description The address of a page that explains the code
             */
            type: string;
            /** @description A summary of the code, always the same */
            title: string;
            /** @description The status of the answer */
            status: number;
            /** @description A description of this problem, for people */
            detail?: string;
            code: components["schemas"]["ProblemCode"];
            /**
             * Format: uuid
             * @description The `X-Request-Id` of the answer, for questions to the operator
             */
            request_id?: string;
            /** @description The first 20 parameters and properties that are wrong */
            errors?: components["schemas"]["FieldProblem"][];
            /** @description Figures that belong to the code, such as `rooms` of `movie_in_use` */
            details?: {
                [key: string]: number;
            };
        };
        /**
         * @description The code of the problem, for programs: it stays the same. Later versions may have further codes; `status` says
         *     what kind of problem it is.
         * @enum {string}
         */
        ProblemCode: "account_suspended" | "account_unverified" | "avatar_empty" | "avatar_too_large" | "avatar_too_many_pixels" | "avatar_unreadable" | "avatar_unsupported_format" | "bad_credentials" | "bad_refresh_token" | "bad_token" | "banned" | "body_too_large" | "busy" | "cannot_report_oneself" | "cannot_suspend_oneself" | "command_id_reused" | "delivery_not_ended" | "edit_window_over" | "email_ended" | "email_not_ended" | "email_taken" | "email_unverified" | "event_started" | "forbidden" | "idempotency_key_reused" | "internal" | "invalid_request" | "job_ended" | "job_expired" | "job_not_started" | "jobs_changed" | "jobs_not_searchable" | "last_admin" | "method_not_allowed" | "movie_exists" | "movie_in_use" | "movie_without_stream" | "muted" | "no_next_host" | "not_found" | "not_participant" | "not_ready" | "nothing_playing" | "nothing_to_play" | "nothing_to_retry" | "origin_not_allowed" | "own_role" | "party_ended" | "party_time" | "party_too_close" | "playback_stale" | "precondition_failed" | "queue_full" | "queue_full_of_yours" | "queue_paused" | "range_not_satisfiable" | "rate_limited" | "report_resolved" | "request_timeout" | "room_archived" | "room_closed" | "room_full" | "room_not_retired" | "room_without_host" | "run_ended" | "slow_mode" | "too_many_answers" | "too_many_daily_invitations" | "too_many_moves" | "too_many_open_invitations" | "too_many_parties" | "too_many_reports" | "too_many_webhooks" | "unauthenticated" | "unavailable" | "unknown_item" | "unknown_message" | "unknown_movie" | "unsupported_content_encoding" | "unsupported_media_type" | "upgrade_required" | "username_taken" | "webhook_off" | "wrong_password";
        /** @description A parameter, or a property of the body, that is wrong */
        FieldProblem: {
            /** @description The parameter's name, or the path of the property with dots; cut after 200 characters */
            field: string;
            /**
             * @description Stable, for programs: `required`, `one_of`, `unexpected`, `private`, `language`, `type`, `enum`, `pattern`,
             *     `format`, `range`, `too_short`, `too_long`, `too_few`, `too_many`, `null`, `empty`, `unknown`, `malformed`,
             *     `blank`, `control_character`, `line_break`, `bidi_control`, `invisible_character`, `combining_mark`,
             *     `encoding`, `duplicate`, `characters`, `name`, `common`, `email`, `address`, `reserved`, `taken`, `past`,
             *     `too_late`, `wrong`, `conflict`, `off`, or another.
             */
            code: string;
            /** @description A description of what is wrong, for people */
            message: string;
        };
        /**
         * @example {
         *       "data": {
         *         "user": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "email": "carol@example.org",
         *           "email_verified": true,
         *           "pending_email": null,
         *           "display_name": "Carol",
         *           "language": "en",
         *           "is_admin": false,
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           },
         *           "created_at": "2026-01-10T18:00:00Z",
         *           "updated_at": "2026-01-12T09:30:00Z"
         *         },
         *         "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwMTk5M2Y2ZSJ9.dGhlLXNpZ25hdHVyZQ",
         *         "refresh_token": "q3Jf0T9vXw2LrZc8yN5hB1sKdM7uE4aG6pVtRiYoCxk",
         *         "expires_in": 900
         *       }
         *     }
         */
        SignedInAnswer: {
            data: components["schemas"]["SignedIn"];
        };
        /**
         * @example {
         *       "data": {
         *         "account": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "email": "carol@example.org",
         *           "email_verified": true,
         *           "pending_email": null,
         *           "display_name": "Carol",
         *           "language": "en",
         *           "is_admin": false,
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           },
         *           "created_at": "2026-01-10T18:00:00Z",
         *           "updated_at": "2026-01-12T09:30:00Z"
         *         },
         *         "invitations_refused": false,
         *         "sessions": [
         *           {
         *             "id": "01993f6e-9a10-7d55-b0c1-2e3f40516273",
         *             "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
         *             "signed_in_at": "2026-01-31T19:58:00Z",
         *             "last_used_at": "2026-01-31T20:13:00Z",
         *             "expires_at": "2026-03-02T20:13:00Z",
         *             "ended_at": null,
         *             "current": true
         *           }
         *         ],
         *         "addresses": [
         *           {
         *             "email": "carol@example.org",
         *             "former": null,
         *             "requested_at": "2026-01-10T18:00:00Z",
         *             "used_at": "2026-01-10T18:05:00Z",
         *             "expires_at": "2026-01-17T18:00:00Z"
         *           }
         *         ],
         *         "password_resets": [
         *           {
         *             "requested_at": "2026-01-12T09:00:00Z",
         *             "used_at": "2026-01-12T09:04:00Z",
         *             "expires_at": "2026-01-12T09:30:00Z"
         *           }
         *         ],
         *         "emails": [
         *           {
         *             "kind": "welcome",
         *             "state": "sent",
         *             "attempts": 1,
         *             "last_answer": null,
         *             "created_at": "2026-01-10T18:00:00Z",
         *             "sent_at": "2026-01-10T18:00:01Z"
         *           }
         *         ],
         *         "rooms": [
         *           {
         *             "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "name": "Friday night",
         *             "description": "Silents only",
         *             "movie_id": null,
         *             "host_id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "visibility": "public",
         *             "capacity": 20,
         *             "slow_mode_seconds": 0,
         *             "control": "moderators",
         *             "queue": "everyone",
         *             "queue_order": "manual",
         *             "wait_policy": "everyone",
         *             "now_playing": false,
         *             "state": "open",
         *             "closed": false,
         *             "role": "host",
         *             "joined": true,
         *             "created_at": "2026-01-31T20:15:00Z",
         *             "updated_at": "2026-01-31T20:15:00Z"
         *           }
         *         ],
         *         "memberships": [
         *           {
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "role": "host",
         *             "since": "2026-01-31T19:00:00Z"
         *           }
         *         ],
         *         "presence": [
         *           {
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "joined_at": "2026-01-31T19:00:00Z",
         *             "last_seen_at": "2026-01-31T20:15:00Z",
         *             "present_since": "2026-01-31T19:58:00Z"
         *           }
         *         ],
         *         "read_markers": [
         *           {
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "message_id": "01993f76-7182-73a4-95c6-d7e8f90a1b2c",
         *             "read_at": "2026-01-31T20:14:00Z"
         *           }
         *         ],
         *         "queue_items": [
         *           {
         *             "id": "01993f7e-0a1b-7c2d-8e3f-405162738496",
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "movie_id": null,
         *             "title": "Faust",
         *             "stream_url": "https://movies.example/faust.webm",
         *             "created_at": "2026-01-31T20:15:00Z"
         *           }
         *         ],
         *         "queue_votes": [
         *           {
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "item_id": "01993f7e-0a1b-7c2d-8e3f-405162738496",
         *             "created_at": "2026-01-31T20:15:00Z"
         *           }
         *         ],
         *         "parties": [
         *           {
         *             "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "title": "Second part",
         *             "movie_id": null,
         *             "starts_at": "2026-02-01T19:30:00Z",
         *             "time_zone": "Europe/Berlin",
         *             "state": "scheduled",
         *             "created_at": "2026-01-31T19:00:00Z"
         *           }
         *         ],
         *         "party_answers": [
         *           {
         *             "party_id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "answer": "yes",
         *             "created_at": "2026-01-31T20:15:00Z"
         *           }
         *         ],
         *         "stays": [
         *           {
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "started_at": "2026-01-31T19:00:00Z",
         *             "ended_at": "2026-01-31T20:15:00Z"
         *           }
         *         ],
         *         "active_days": [
         *           "2026-01-31"
         *         ],
         *         "messages": [
         *           {
         *             "id": "01993f76-7182-73a4-95c6-d7e8f90a1b2c",
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "body": "Shall we begin?",
         *             "reply_to_id": null,
         *             "created_at": "2026-01-31T20:14:00Z",
         *             "edited_at": null,
         *             "deleted": false
         *           }
         *         ],
         *         "invitations": [
         *           {
         *             "id": "01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "email": "erin@example.org",
         *             "state": "open",
         *             "delivery": {
         *               "state": "sending",
         *               "reason": "mailbox_full"
         *             },
         *             "inviter": {
         *               "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *               "username": "carol",
         *               "display_name": "Carol",
         *               "avatar": {
         *                 "default": false,
         *                 "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *                 "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *                 "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *                 "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *               }
         *             },
         *             "expires_at": "2026-02-07T20:15:00Z",
         *             "answered_at": null,
         *             "created_at": "2026-01-31T20:15:00Z"
         *           }
         *         ],
         *         "accepted_invitations": [
         *           {
         *             "room_id": "01993f7d-f90a-7b1c-9d2e-5f6071829304",
         *             "answered_at": "2026-01-20T18:00:00Z"
         *           }
         *         ],
         *         "received_invitations": [
         *           {
         *             "room_id": "01993f7d-f90a-7b1c-9d2e-5f6071829304",
         *             "state": "accepted",
         *             "created_at": "2026-01-19T18:00:00Z",
         *             "expires_at": "2026-01-26T18:00:00Z",
         *             "answered_at": "2026-01-20T18:00:00Z"
         *           }
         *         ],
         *         "bans": [
         *           {
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "user_id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "reason": "Advertisements in every message",
         *             "until": "2026-02-07T20:15:00Z",
         *             "created_at": "2026-01-31T20:15:00Z"
         *           }
         *         ],
         *         "mutes": [],
         *         "received_bans": [],
         *         "received_mutes": [
         *           {
         *             "room_id": "01993f7d-f90a-7b1c-9d2e-5f6071829304",
         *             "reason": "",
         *             "until": "2026-01-20T19:00:00Z",
         *             "created_at": "2026-01-20T18:30:00Z"
         *           }
         *         ],
         *         "acts": [
         *           {
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "action": "banned",
         *             "user_id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "details": {
         *               "until": "2026-02-07T20:15:00Z",
         *               "reason": "Advertisements in every message"
         *             },
         *             "created_at": "2026-01-31T20:15:00Z"
         *           }
         *         ],
         *         "received_acts": [],
         *         "admin_acts": [],
         *         "account_acts": [],
         *         "abuse_reports": [
         *           {
         *             "id": "01993f78-93a4-75c6-b7e8-f90a1b2c3d4e",
         *             "kind": "spam",
         *             "target": {
         *               "kind": "message",
         *               "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d"
         *             },
         *             "text": "The same advertisement in every room",
         *             "created_at": "2026-01-31T20:20:00Z"
         *           }
         *         ],
         *         "avatars": [
         *           {
         *             "version": 3,
         *             "status": "ready",
         *             "reason": null,
         *             "published_at": "2026-01-31T20:15:03Z",
         *             "created_at": "2026-01-31T20:15:00Z"
         *           }
         *         ],
         *         "exported_at": "2026-01-31T20:16:00Z"
         *       }
         *     }
         */
        ExportAnswer: {
            data: components["schemas"]["Export"];
        };
        /**
         * @example {
         *       "data": {
         *         "status": "degraded",
         *         "database": "connected",
         *         "redis": "connected",
         *         "temporal": "connected",
         *         "workers": "no worker for email",
         *         "schedules": "connected",
         *         "bucket": "connected",
         *         "emails": "connected",
         *         "emails_sent_at": "2026-03-02T20:14:31Z",
         *         "degraded": [
         *           {
         *             "part": "workers",
         *             "state": "no worker for email",
         *             "since": "2026-03-02T19:55:00Z",
         *             "effect": "Emails, new avatars, clean-up or reports wait, whichever have no worker. Everything else works."
         *           }
         *         ]
         *       }
         *     }
         */
        HealthAnswer: {
            data: components["schemas"]["Health"];
        };
        /**
         * @example {
         *       "data": {
         *         "run_id": "01993f7b-c6d7-78f9-aafb-2c3d4e5f6071",
         *         "status_url": "https://party.example/api/admin/cleanup/runs/01993f7b-c6d7-78f9-aafb-2c3d4e5f6071",
         *         "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22cleanup%2F01993f7b-c6d7-78f9-aafb-2c3d4e5f6071%22"
         *       }
         *     }
         */
        CleanupStartedAnswer: {
            data: components["schemas"]["CleanupStarted"];
        };
        /**
         * @example {
         *       "_cached": true,
         *       "data": {
         *         "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *         "title": "Nosferatu",
         *         "year": 1922,
         *         "runtime_minutes": 94,
         *         "description": "A clerk travels to the castle of a count.",
         *         "genres": [
         *           "horror"
         *         ],
         *         "poster_url": "https://movies.example/nosferatu.jpg",
         *         "stream_url": "https://movies.example/nosferatu.webm",
         *         "duration_ms": 5640123,
         *         "subtitles": [],
         *         "archived": false,
         *         "created_at": "2026-01-05T12:00:00Z",
         *         "updated_at": "2026-01-05T12:00:00Z"
         *       }
         *     }
         */
        CachedMovieAnswer: {
            _cached: components["schemas"]["Cached"];
            data: components["schemas"]["Movie"];
        };
        /**
         * @example {
         *       "_cached": true,
         *       "data": {
         *         "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "state": "playing",
         *         "title": "Nosferatu",
         *         "movie": {
         *           "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *           "title": "Nosferatu",
         *           "year": 1922,
         *           "runtime_minutes": 94,
         *           "poster_url": "https://movies.example/nosferatu.jpg"
         *         },
         *         "position_ms": 1320000,
         *         "at": "2026-01-31T20:15:00Z",
         *         "rate": 1,
         *         "duration_ms": 5640123,
         *         "present": 1
         *       }
         *     }
         */
        NowPlayingAnswer: {
            _cached: components["schemas"]["Cached"];
            data: components["schemas"]["NowPlaying"];
        };
        /**
         * @example {
         *       "_cached": true,
         *       "data": {
         *         "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "name": "Silent Sunday",
         *         "description": "A silent movie every Sunday.",
         *         "movie": {
         *           "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *           "title": "Nosferatu",
         *           "year": 1922,
         *           "runtime_minutes": 94,
         *           "poster_url": "https://movies.example/nosferatu.jpg"
         *         },
         *         "host": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "visibility": "public",
         *         "capacity": 10,
         *         "participants": 2,
         *         "present": 1,
         *         "slow_mode_seconds": 0,
         *         "control": "moderators",
         *         "queue": "everyone",
         *         "queue_order": "manual",
         *         "wait_policy": "auto",
         *         "now_playing": true,
         *         "next_party": {
         *           "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *           "starts_at": "2026-02-01T19:30:00Z",
         *           "title": "Second part"
         *         },
         *         "state": "open",
         *         "closed": false,
         *         "created_at": "2026-01-31T19:00:00Z",
         *         "updated_at": "2026-01-31T19:00:00Z"
         *       }
         *     }
         */
        CachedRoomAnswer: {
            _cached: components["schemas"]["Cached"];
            data: components["schemas"]["Room"];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "email": "carol@example.org",
         *         "email_verified": true,
         *         "pending_email": null,
         *         "display_name": "Carol",
         *         "language": "en",
         *         "is_admin": false,
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         },
         *         "created_at": "2026-01-10T18:00:00Z",
         *         "updated_at": "2026-01-12T09:30:00Z"
         *       }
         *     }
         */
        AccountAnswer: {
            data: components["schemas"]["Account"];
        };
        /**
         * @example {
         *       "_cached": true,
         *       "data": {
         *         "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *         "username": "carol",
         *         "display_name": "Carol",
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         },
         *         "created_at": "2026-01-10T18:00:00Z"
         *       }
         *     }
         */
        ProfileAnswer: {
            _cached: components["schemas"]["Cached"];
            data: components["schemas"]["Profile"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           },
         *           "created_at": "2026-01-10T18:00:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        ProfileList: {
            /** @description The accounts of this page */
            data: components["schemas"]["Profile"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "status": "processing",
         *         "step": "rendering",
         *         "reason": null,
         *         "version": 4,
         *         "avatar": {
         *           "default": false,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *           "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *           "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *           "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *         },
         *         "created_at": "2026-01-31T20:15:00Z",
         *         "updated_at": "2026-01-31T20:15:01Z"
         *       }
         *     }
         */
        AvatarAnswer: {
            data: components["schemas"]["AvatarUpload"];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *         "title": "Nosferatu",
         *         "year": 1922,
         *         "runtime_minutes": 94,
         *         "description": "A clerk travels to the castle of a count.",
         *         "genres": [
         *           "horror"
         *         ],
         *         "poster_url": "https://movies.example/nosferatu.jpg",
         *         "stream_url": "https://movies.example/nosferatu.webm",
         *         "duration_ms": 5640123,
         *         "subtitles": [],
         *         "archived": false,
         *         "created_at": "2026-01-05T12:00:00Z",
         *         "updated_at": "2026-01-05T12:00:00Z"
         *       }
         *     }
         */
        MovieAnswer: {
            data: components["schemas"]["Movie"];
        };
        /**
         * @example {
         *       "_cached": true,
         *       "data": [
         *         {
         *           "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *           "title": "Nosferatu",
         *           "year": 1922,
         *           "runtime_minutes": 94,
         *           "description": "A clerk travels to the castle of a count.",
         *           "genres": [
         *             "horror"
         *           ],
         *           "poster_url": "https://movies.example/nosferatu.jpg",
         *           "stream_url": "https://movies.example/nosferatu.webm",
         *           "duration_ms": 5640123,
         *           "subtitles": [],
         *           "archived": false,
         *           "created_at": "2026-01-05T12:00:00Z",
         *           "updated_at": "2026-01-05T12:00:00Z"
         *         }
         *       ],
         *       "next_cursor": "AZk_d4KTdLWm1-j5ChssPQ"
         *     }
         */
        MovieList: {
            _cached: components["schemas"]["Cached"];
            /** @description The movies of this page */
            data: components["schemas"]["Movie"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "_cached": true,
         *       "data": [
         *         {
         *           "genre": "horror",
         *           "movies": 12
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        GenreList: {
            _cached: components["schemas"]["Cached"];
            /** @description The genres, those of the most movies first */
            data: components["schemas"]["GenreCount"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "name": "Silent Sunday",
         *         "description": "A silent movie every Sunday.",
         *         "movie": {
         *           "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *           "title": "Nosferatu",
         *           "year": 1922,
         *           "runtime_minutes": 94,
         *           "poster_url": "https://movies.example/nosferatu.jpg"
         *         },
         *         "host": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "visibility": "public",
         *         "capacity": 10,
         *         "participants": 2,
         *         "present": 1,
         *         "slow_mode_seconds": 0,
         *         "control": "moderators",
         *         "queue": "everyone",
         *         "queue_order": "manual",
         *         "wait_policy": "auto",
         *         "now_playing": true,
         *         "next_party": {
         *           "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *           "starts_at": "2026-02-01T19:30:00Z",
         *           "title": "Second part"
         *         },
         *         "state": "open",
         *         "closed": false,
         *         "created_at": "2026-01-31T19:00:00Z",
         *         "updated_at": "2026-01-31T19:00:00Z"
         *       }
         *     }
         */
        RoomAnswer: {
            data: components["schemas"]["Room"];
        };
        /**
         * @example {
         *       "_cached": true,
         *       "data": [
         *         {
         *           "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "name": "Silent Sunday",
         *           "description": "A silent movie every Sunday.",
         *           "movie": {
         *             "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *             "title": "Nosferatu",
         *             "year": 1922,
         *             "runtime_minutes": 94,
         *             "poster_url": "https://movies.example/nosferatu.jpg"
         *           },
         *           "host": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "visibility": "public",
         *           "capacity": 10,
         *           "participants": 2,
         *           "present": 1,
         *           "slow_mode_seconds": 0,
         *           "control": "moderators",
         *           "queue": "everyone",
         *           "queue_order": "manual",
         *           "wait_policy": "auto",
         *           "now_playing": true,
         *           "next_party": {
         *             "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *             "starts_at": "2026-02-01T19:30:00Z",
         *             "title": "Second part"
         *           },
         *           "state": "open",
         *           "closed": false,
         *           "created_at": "2026-01-31T19:00:00Z",
         *           "updated_at": "2026-01-31T19:00:00Z"
         *         }
         *       ],
         *       "next_cursor": "AZk_d4KTdLWm1-j5ChssPQ"
         *     }
         */
        RoomList: {
            _cached: components["schemas"]["Cached"];
            /** @description The rooms of this page */
            data: components["schemas"]["Room"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "user": {
         *             "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "username": "dave",
         *             "display_name": "Dave",
         *             "avatar": {
         *               "default": true,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *             }
         *           },
         *           "role": "viewer",
         *           "present": true,
         *           "muted_until": null,
         *           "joined_at": "2026-01-31T19:55:00Z",
         *           "last_seen_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        ParticipantList: {
            /** @description All people who are in the room */
            data: components["schemas"]["Participant"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d",
         *         "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "author": {
         *           "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *           "username": "dave",
         *           "display_name": "Dave",
         *           "avatar": {
         *             "default": true,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *           }
         *         },
         *         "body": "Yes, please.",
         *         "reply_to": {
         *           "id": "01993f76-7182-73a4-95c6-d7e8f90a1b2c",
         *           "author": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "excerpt": "Shall we begin?"
         *         },
         *         "created_at": "2026-01-31T20:15:00Z",
         *         "edited_at": null,
         *         "deleted": false
         *       }
         *     }
         */
        MessageAnswer: {
            data: components["schemas"]["Message"];
        };
        /**
         * @example {
         *       "_cached": true,
         *       "data": [
         *         {
         *           "id": "01993f77-8293-74b5-a6d7-e8f90a1b2c3d",
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "author": {
         *             "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "username": "dave",
         *             "display_name": "Dave",
         *             "avatar": {
         *               "default": true,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *             }
         *           },
         *           "body": "Yes, please.",
         *           "reply_to": {
         *             "id": "01993f76-7182-73a4-95c6-d7e8f90a1b2c",
         *             "author": {
         *               "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *               "username": "carol",
         *               "display_name": "Carol",
         *               "avatar": {
         *                 "default": false,
         *                 "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *                 "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *                 "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *                 "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *               }
         *             },
         *             "excerpt": "Shall we begin?"
         *           },
         *           "created_at": "2026-01-31T20:15:00Z",
         *           "edited_at": null,
         *           "deleted": false
         *         }
         *       ],
         *       "next_cursor": "AZk_d4KTdLWm1-j5ChssPQ",
         *       "newer_cursor": "AZk_d4KTdLWm1-j5ChssPR",
         *       "updates_cursor": "AZk_d4KTdLWm1-j5ChssPS"
         *     }
         */
        MessageList: {
            _cached: components["schemas"]["Cached"];
            /** @description The messages of this page */
            data: components["schemas"]["Message"][];
            /**
             * @description Where the next page in the same direction starts: what to send as the parameter that this page was read
             *     with, or as `before` after a page without one; null at the end
             */
            next_cursor: string | null;
            /** @description What to send as `after` for messages that are posted later; null in an empty room and with `updated_after` */
            newer_cursor: string | null;
            /**
             * @description What to send as `updated_after` for messages that are edited or deleted later; null with `before` and
             *     `after`
             */
            updates_cursor: string | null;
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f7b-c6d7-78f9-aafb-2c3d4e5f6071",
         *         "trigger": "admin",
         *         "started_by": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "policies": [
         *           "old_messages",
         *           "expired_tokens"
         *         ],
         *         "dry_run": false,
         *         "older_than_seconds": null,
         *         "state": "running",
         *         "policy": "expired_tokens",
         *         "counts": {
         *           "old_messages": 1200,
         *           "expired_tokens": 31
         *         },
         *         "samples": {},
         *         "errors": {},
         *         "created_at": "2026-01-31T03:00:00Z",
         *         "started_at": "2026-01-31T03:00:01Z",
         *         "cancelled_at": null,
         *         "ended_at": null,
         *         "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22cleanup%2F01993f7b-c6d7-78f9-aafb-2c3d4e5f6071%22"
         *       }
         *     }
         */
        CleanupRunAnswer: {
            data: components["schemas"]["CleanupRun"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f7b-c6d7-78f9-aafb-2c3d4e5f6071",
         *           "trigger": "admin",
         *           "started_by": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "policies": [
         *             "old_messages",
         *             "expired_tokens"
         *           ],
         *           "dry_run": false,
         *           "older_than_seconds": null,
         *           "state": "running",
         *           "policy": "expired_tokens",
         *           "counts": {
         *             "old_messages": 1200,
         *             "expired_tokens": 31
         *           },
         *           "samples": {},
         *           "errors": {},
         *           "created_at": "2026-01-31T03:00:00Z",
         *           "started_at": "2026-01-31T03:00:01Z",
         *           "cancelled_at": null,
         *           "ended_at": null,
         *           "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22cleanup%2F01993f7b-c6d7-78f9-aafb-2c3d4e5f6071%22"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        CleanupRunList: {
            /** @description The runs of this page */
            data: components["schemas"]["CleanupRun"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f7c-e8f9-7a0b-8c1d-4e5f60718293",
         *         "kind": "activity",
         *         "run_id": null,
         *         "period_start": "2026-01-19T00:00:00Z",
         *         "period_end": "2026-01-26T00:00:00Z",
         *         "page_url": "https://party.example/reports#token=c2lnbmVk",
         *         "data": {
         *           "every": "week",
         *           "from": "2026-01-19",
         *           "to": "2026-01-25",
         *           "counted_since": null,
         *           "figures": {
         *             "new_users": 12,
         *             "active_users": 40,
         *             "returning_users": 28,
         *             "rooms_opened": 9,
         *             "participants": 85,
         *             "minutes_together": 5400,
         *             "messages": 1200,
         *             "invitations_sent": 14,
         *             "invitations_accepted": 10,
         *             "emails_sent": 60,
         *             "emails_failed": 1,
         *             "avatars": 7,
         *             "removed": 31
         *           },
         *           "previous": {
         *             "new_users": 12,
         *             "active_users": 40,
         *             "returning_users": 28,
         *             "rooms_opened": 9,
         *             "participants": 85,
         *             "minutes_together": 5400,
         *             "messages": 1200,
         *             "invitations_sent": 14,
         *             "invitations_accepted": 10,
         *             "emails_sent": 60,
         *             "emails_failed": 1,
         *             "avatars": 7,
         *             "removed": 31
         *           },
         *           "removed_by": {
         *             "expired_tokens": 31
         *           },
         *           "days": [
         *             {
         *               "day": "2026-01-19",
         *               "figures": {
         *                 "new_users": 12,
         *                 "active_users": 40,
         *                 "returning_users": 28,
         *                 "rooms_opened": 9,
         *                 "participants": 85,
         *                 "minutes_together": 5400,
         *                 "messages": 1200,
         *                 "invitations_sent": 14,
         *                 "invitations_accepted": 10,
         *                 "emails_sent": 60,
         *                 "emails_failed": 1,
         *                 "avatars": 7,
         *                 "removed": 31
         *               }
         *             }
         *           ]
         *         },
         *         "created_at": "2026-01-26T06:00:00Z"
         *       }
         *     }
         */
        ReportAnswer: {
            data: components["schemas"]["Report"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f7c-e8f9-7a0b-8c1d-4e5f60718293",
         *           "kind": "activity",
         *           "run_id": null,
         *           "period_start": "2026-01-19T00:00:00Z",
         *           "period_end": "2026-01-26T00:00:00Z",
         *           "page_url": "https://party.example/reports#token=c2lnbmVk",
         *           "data": {
         *             "every": "week",
         *             "from": "2026-01-19",
         *             "to": "2026-01-25",
         *             "counted_since": null,
         *             "figures": {
         *               "new_users": 12,
         *               "active_users": 40,
         *               "returning_users": 28,
         *               "rooms_opened": 9,
         *               "participants": 85,
         *               "minutes_together": 5400,
         *               "messages": 1200,
         *               "invitations_sent": 14,
         *               "invitations_accepted": 10,
         *               "emails_sent": 60,
         *               "emails_failed": 1,
         *               "avatars": 7,
         *               "removed": 31
         *             },
         *             "previous": {
         *               "new_users": 12,
         *               "active_users": 40,
         *               "returning_users": 28,
         *               "rooms_opened": 9,
         *               "participants": 85,
         *               "minutes_together": 5400,
         *               "messages": 1200,
         *               "invitations_sent": 14,
         *               "invitations_accepted": 10,
         *               "emails_sent": 60,
         *               "emails_failed": 1,
         *               "avatars": 7,
         *               "removed": 31
         *             },
         *             "removed_by": {
         *               "expired_tokens": 31
         *             },
         *             "days": [
         *               {
         *                 "day": "2026-01-19",
         *                 "figures": {
         *                   "new_users": 12,
         *                   "active_users": 40,
         *                   "returning_users": 28,
         *                   "rooms_opened": 9,
         *                   "participants": 85,
         *                   "minutes_together": 5400,
         *                   "messages": 1200,
         *                   "invitations_sent": 14,
         *                   "invitations_accepted": 10,
         *                   "emails_sent": 60,
         *                   "emails_failed": 1,
         *                   "avatars": 7,
         *                   "removed": 31
         *                 }
         *               }
         *             ]
         *           },
         *           "created_at": "2026-01-26T06:00:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        ReportList: {
            /** @description The reports of this page */
            data: components["schemas"]["Report"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f6e-9a10-7d55-b0c1-2e3f40516273",
         *           "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
         *           "signed_in_at": "2026-01-31T19:58:00Z",
         *           "last_used_at": "2026-01-31T20:13:00Z",
         *           "expires_at": "2026-03-02T20:13:00Z",
         *           "current": true
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        SessionList: {
            /** @description The sign-ins of this page */
            data: components["schemas"]["Session"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "role": "host",
         *           "joined": true,
         *           "unread": 3,
         *           "last_message_at": "2026-01-31T20:15:00Z",
         *           "room": {
         *             "id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "name": "Silent Sunday",
         *             "description": "A silent movie every Sunday.",
         *             "movie": {
         *               "id": "01993f71-0000-7b1f-a4c2-8d9e0f112233",
         *               "title": "Nosferatu",
         *               "year": 1922,
         *               "runtime_minutes": 94,
         *               "poster_url": "https://movies.example/nosferatu.jpg"
         *             },
         *             "host": {
         *               "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *               "username": "carol",
         *               "display_name": "Carol",
         *               "avatar": {
         *                 "default": false,
         *                 "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *                 "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *                 "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *                 "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *               }
         *             },
         *             "visibility": "public",
         *             "capacity": 10,
         *             "participants": 2,
         *             "present": 1,
         *             "slow_mode_seconds": 0,
         *             "control": "moderators",
         *             "queue": "everyone",
         *             "queue_order": "manual",
         *             "wait_policy": "auto",
         *             "now_playing": true,
         *             "next_party": {
         *               "id": "01993f81-2c3d-7e4f-9051-62738495a6b7",
         *               "starts_at": "2026-02-01T19:30:00Z",
         *               "title": "Second part"
         *             },
         *             "state": "open",
         *             "closed": false,
         *             "created_at": "2026-01-31T19:00:00Z",
         *             "updated_at": "2026-01-31T19:00:00Z"
         *           }
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        MyRoomList: {
            /** @description The rooms of this page */
            data: components["schemas"]["MyRoom"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "role": "viewer",
         *         "joined": true,
         *         "muted_until": null,
         *         "permissions": [
         *           "post_message",
         *           "add_to_queue",
         *           "vote"
         *         ]
         *       }
         *     }
         */
        StandingAnswer: {
            data: components["schemas"]["Standing"];
        };
        /**
         * @example {
         *       "data": {
         *         "user": {
         *           "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *           "username": "dave",
         *           "display_name": "Dave",
         *           "avatar": {
         *             "default": true,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *           }
         *         },
         *         "role": "viewer",
         *         "present": true,
         *         "muted_until": null,
         *         "joined_at": "2026-01-31T19:55:00Z",
         *         "last_seen_at": "2026-01-31T20:15:00Z"
         *       }
         *     }
         */
        ParticipantAnswer: {
            data: components["schemas"]["Participant"];
        };
        /**
         * @example {
         *       "data": {
         *         "user": {
         *           "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *           "username": "dave",
         *           "display_name": "Dave",
         *           "avatar": {
         *             "default": true,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *           }
         *         },
         *         "banned_by": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "reason": "Advertisements in every message",
         *         "until": "2026-02-07T20:15:00Z",
         *         "created_at": "2026-01-31T20:15:00Z"
         *       }
         *     }
         */
        BanAnswer: {
            data: components["schemas"]["Ban"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "user": {
         *             "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "username": "dave",
         *             "display_name": "Dave",
         *             "avatar": {
         *               "default": true,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *             }
         *           },
         *           "banned_by": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "reason": "Advertisements in every message",
         *           "until": "2026-02-07T20:15:00Z",
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        BanList: {
            /** @description The bans of this page */
            data: components["schemas"]["Ban"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "user": {
         *           "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *           "username": "dave",
         *           "display_name": "Dave",
         *           "avatar": {
         *             "default": true,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *           }
         *         },
         *         "muted_by": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "reason": "Tells how the movie ends",
         *         "until": "2026-01-31T22:00:00Z",
         *         "created_at": "2026-01-31T20:15:00Z"
         *       }
         *     }
         */
        MuteAnswer: {
            data: components["schemas"]["Mute"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "user": {
         *             "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "username": "dave",
         *             "display_name": "Dave",
         *             "avatar": {
         *               "default": true,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *             }
         *           },
         *           "muted_by": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "reason": "Tells how the movie ends",
         *           "until": "2026-01-31T22:00:00Z",
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        MuteList: {
            /** @description The mutes of this page */
            data: components["schemas"]["Mute"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f74-5f60-7182-93a4-b5c6d7e8f90a",
         *           "action": "muted",
         *           "actor": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "target": {
         *             "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "username": "dave",
         *             "display_name": "Dave",
         *             "avatar": {
         *               "default": true,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *             }
         *           },
         *           "details": {
         *             "until": "2026-01-31T22:00:00Z",
         *             "reason": "Tells how the movie ends"
         *           },
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        RoomActList: {
            /** @description The entries of this page */
            data: components["schemas"]["RoomAct"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *         "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "email": "erin@example.org",
         *         "state": "open",
         *         "delivery": {
         *           "state": "sending",
         *           "reason": "mailbox_full"
         *         },
         *         "inviter": {
         *           "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *           "username": "carol",
         *           "display_name": "Carol",
         *           "avatar": {
         *             "default": false,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *             "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *             "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *             "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *           }
         *         },
         *         "expires_at": "2026-02-07T20:15:00Z",
         *         "answered_at": null,
         *         "created_at": "2026-01-31T20:15:00Z"
         *       }
         *     }
         */
        InvitationAnswer: {
            data: components["schemas"]["Invitation"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "email": "erin@example.org",
         *           "state": "open",
         *           "delivery": {
         *             "state": "sending",
         *             "reason": "mailbox_full"
         *           },
         *           "inviter": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "expires_at": "2026-02-07T20:15:00Z",
         *           "answered_at": null,
         *           "created_at": "2026-01-31T20:15:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        InvitationList: {
            /** @description The invitations of this page */
            data: components["schemas"]["Invitation"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *         "username": "dave",
         *         "email": "dave@example.org",
         *         "email_verified": true,
         *         "display_name": "Dave",
         *         "is_admin": false,
         *         "avatar": {
         *           "default": true,
         *           "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *           "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *         },
         *         "state": "suspended",
         *         "suspended_at": "2026-01-31T20:30:00Z",
         *         "content_hidden": true,
         *         "created_at": "2026-01-11T10:00:00Z",
         *         "updated_at": "2026-01-31T20:30:00Z"
         *       }
         *     }
         */
        AdminUserAnswer: {
            data: components["schemas"]["AdminUser"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *           "username": "dave",
         *           "email": "dave@example.org",
         *           "email_verified": true,
         *           "display_name": "Dave",
         *           "is_admin": false,
         *           "avatar": {
         *             "default": true,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *           },
         *           "state": "suspended",
         *           "suspended_at": "2026-01-31T20:30:00Z",
         *           "content_hidden": true,
         *           "created_at": "2026-01-11T10:00:00Z",
         *           "updated_at": "2026-01-31T20:30:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        AdminUserList: {
            /** @description The accounts of this page */
            data: components["schemas"]["AdminUser"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @description An email of a kind, with made-up content
         * @example {
         *       "kind": "welcome",
         *       "subject": "Welcome to WatchParty",
         *       "html": "<p>Hello Carol, please confirm your email address.</p>",
         *       "text": "Hello Carol, please confirm your email address."
         *     }
         */
        EmailPreview: {
            kind: components["schemas"]["EmailKind"];
            /** @description The subject */
            subject: string;
            /** @description The HTML part */
            html: string;
            /** @description The text part */
            text: string;
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "kind": "welcome",
         *           "subject": "Welcome to WatchParty",
         *           "html": "<p>Hello Carol, please confirm your email address.</p>",
         *           "text": "Hello Carol, please confirm your email address."
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        EmailPreviewList: {
            /** @description One email of each kind */
            data: components["schemas"]["EmailPreview"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f79-a4b5-76d7-88f9-0a1b2c3d4e5f",
         *           "kind": "room_invitation",
         *           "subject_id": "01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *           "recipient": {
         *             "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "username": "dave",
         *             "display_name": "Dave",
         *             "avatar": {
         *               "default": true,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *             }
         *           },
         *           "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *           "state": "sending",
         *           "reason": "mailbox_full",
         *           "attempts": 1,
         *           "last_answer": "452 4.2.2 The mailbox is full",
         *           "waits_for": "retry",
         *           "waits_until": "2026-01-31T20:15:07Z",
         *           "deadline_at": "2026-02-01T20:04:57Z",
         *           "resend_of": null,
         *           "workflow_id": "room-invitation/01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *           "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22room-invitation%2F01993f75-6071-7293-84b5-c6d7e8f90a1b%22",
         *           "created_at": "2026-01-31T20:15:00Z",
         *           "updated_at": "2026-01-31T20:15:02Z",
         *           "sent_at": null,
         *           "history": null
         *         }
         *       ],
         *       "next_cursor": "AZk_d4KTdLWm1-j5ChssPQ"
         *     }
         */
        EmailList: {
            /** @description The emails of this page */
            data: components["schemas"]["Email"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f79-a4b5-76d7-88f9-0a1b2c3d4e5f",
         *         "kind": "room_invitation",
         *         "subject_id": "01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *         "recipient": {
         *           "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *           "username": "dave",
         *           "display_name": "Dave",
         *           "avatar": {
         *             "default": true,
         *             "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *             "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *           }
         *         },
         *         "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *         "state": "sending",
         *         "reason": "mailbox_full",
         *         "attempts": 1,
         *         "last_answer": "452 4.2.2 The mailbox is full",
         *         "waits_for": "retry",
         *         "waits_until": "2026-01-31T20:15:07Z",
         *         "deadline_at": "2026-02-01T20:04:57Z",
         *         "resend_of": null,
         *         "workflow_id": "room-invitation/01993f75-6071-7293-84b5-c6d7e8f90a1b",
         *         "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22room-invitation%2F01993f75-6071-7293-84b5-c6d7e8f90a1b%22",
         *         "created_at": "2026-01-31T20:15:00Z",
         *         "updated_at": "2026-01-31T20:15:02Z",
         *         "sent_at": null,
         *         "history": [
         *           {
         *             "number": 1,
         *             "outcome": "temporary",
         *             "answer": "452 4.2.2 The mailbox is full",
         *             "started_at": "2026-01-31T20:15:01Z",
         *             "ended_at": "2026-01-31T20:15:02Z"
         *           }
         *         ]
         *       }
         *     }
         */
        EmailAnswer: {
            data: components["schemas"]["Email"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f7f-0a1b-7c2d-8e3f-405162738495",
         *           "url": "https://hooks.example/watchparty",
         *           "description": "To the bot",
         *           "kinds": [
         *             "report.filed",
         *             "room.opened"
         *           ],
         *           "secret": null,
         *           "former_secret_until": null,
         *           "enabled": true,
         *           "off_at": null,
         *           "off_reason": null,
         *           "failing_since": null,
         *           "pending": 0,
         *           "failed": 2,
         *           "delivered_at": "2026-01-31T20:15:00Z",
         *           "created_at": "2026-01-31T19:00:00Z",
         *           "updated_at": "2026-01-31T19:00:00Z"
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        WebhookList: {
            /** @description The webhooks */
            data: components["schemas"]["Webhook"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f7f-0a1b-7c2d-8e3f-405162738495",
         *         "url": "https://hooks.example/watchparty",
         *         "description": "To the bot",
         *         "kinds": [
         *           "report.filed",
         *           "room.opened"
         *         ],
         *         "secret": "whsec_bm90IGEgc2VjcmV0LCBhbiBleGFtcGxlIG9mIG9uZS4=",
         *         "former_secret_until": null,
         *         "enabled": true,
         *         "off_at": null,
         *         "off_reason": null,
         *         "failing_since": null,
         *         "pending": 0,
         *         "failed": 0,
         *         "delivered_at": null,
         *         "created_at": "2026-01-31T19:00:00Z",
         *         "updated_at": "2026-01-31T19:00:00Z"
         *       }
         *     }
         */
        WebhookAnswer: {
            data: components["schemas"]["Webhook"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f80-1b2c-7d3e-8f40-516273849506",
         *           "webhook_id": "01993f7f-0a1b-7c2d-8e3f-405162738495",
         *           "event_id": "01993f80-1b2c-7d3e-8f40-516273849507",
         *           "kind": "room.opened",
         *           "state": "failed",
         *           "reason": "attempts",
         *           "attempts": 11,
         *           "last_http_status": 503,
         *           "next_attempt_at": null,
         *           "deadline_at": null,
         *           "message": null,
         *           "workflow_id": "webhook-delivery/01993f80-1b2c-7d3e-8f40-516273849506/1",
         *           "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22webhook-delivery%2F01993f80-1b2c-7d3e-8f40-516273849506%2F1%22",
         *           "created_at": "2026-01-31T20:15:00Z",
         *           "ended_at": "2026-02-03T20:15:30Z",
         *           "history": null
         *         }
         *       ],
         *       "next_cursor": null
         *     }
         */
        WebhookDeliveryList: {
            /** @description The deliveries */
            data: components["schemas"]["WebhookDelivery"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @example {
         *       "data": {
         *         "id": "01993f80-1b2c-7d3e-8f40-516273849506",
         *         "webhook_id": "01993f7f-0a1b-7c2d-8e3f-405162738495",
         *         "event_id": "01993f80-1b2c-7d3e-8f40-516273849507",
         *         "kind": "room.opened",
         *         "state": "failed",
         *         "reason": "attempts",
         *         "attempts": 11,
         *         "last_http_status": 503,
         *         "next_attempt_at": null,
         *         "deadline_at": null,
         *         "message": {
         *           "type": "room.opened",
         *           "timestamp": "2026-01-31T20:15:00Z",
         *           "data": {
         *             "room_id": "01993f72-3d4e-7f60-9182-a3b4c5d6e7f8",
         *             "host_id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "visibility": "public"
         *           }
         *         },
         *         "workflow_id": "webhook-delivery/01993f80-1b2c-7d3e-8f40-516273849506/1",
         *         "temporal_url": "https://ui.example/namespaces/default/workflows?query=WorkflowId%3D%22webhook-delivery%2F01993f80-1b2c-7d3e-8f40-516273849506%2F1%22",
         *         "created_at": "2026-01-31T20:15:00Z",
         *         "ended_at": "2026-02-03T20:15:30Z",
         *         "history": [
         *           {
         *             "number": 11,
         *             "outcome": "status",
         *             "http_status": 503,
         *             "started_at": "2026-02-03T20:15:29Z",
         *             "ended_at": "2026-02-03T20:15:30Z",
         *             "duration_ms": 412
         *           }
         *         ]
         *       }
         *     }
         */
        WebhookDeliveryAnswer: {
            data: components["schemas"]["WebhookDelivery"];
        };
        /**
         * @example {
         *       "data": {
         *         "queued": 12,
         *         "more": false
         *       }
         *     }
         */
        WebhookReplayAnswer: {
            data: components["schemas"]["WebhookReplay"];
        };
        /**
         * @example {
         *       "data": {
         *         "paused_at": "2026-01-31T20:40:00Z",
         *         "waiting": 12
         *       }
         *     }
         */
        EmailPauseAnswer: {
            data: components["schemas"]["EmailPause"];
        };
        /**
         * @example {
         *       "data": [
         *         {
         *           "id": "01993f7a-b5c6-77e8-99fa-1b2c3d4e5f60",
         *           "actor": {
         *             "id": "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4",
         *             "username": "carol",
         *             "display_name": "Carol",
         *             "avatar": {
         *               "default": false,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/thumbnail.webp",
         *               "medium": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.webp",
         *               "large": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/large.webp",
         *               "plain": "https://party.example/api/files/avatars/01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4/3/medium.jpg"
         *             }
         *           },
         *           "action": "user_suspended",
         *           "target_kind": "user",
         *           "target_id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *           "target": {
         *             "id": "01993f70-1c4e-7a02-8f5b-6d7e8f901234",
         *             "username": "dave",
         *             "display_name": "Dave",
         *             "avatar": {
         *               "default": true,
         *               "thumbnail": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "medium": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "large": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.svg",
         *               "plain": "https://party.example/api/files/avatars/01993f70-1c4e-7a02-8f5b-6d7e8f901234/default.png"
         *             }
         *           },
         *           "details": {
         *             "reason": "Spam",
         *             "hide_content": true
         *           },
         *           "outcome": "done",
         *           "created_at": "2026-01-31T20:30:00Z"
         *         }
         *       ],
         *       "next_cursor": "AZk_d4KTdLWm1-j5ChssPQ"
         *     }
         */
        AuditList: {
            /** @description The entries of this page */
            data: components["schemas"]["AuditEntry"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
    };
    responses: {
        /** @description `invalid_request` */
        InvalidRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unauthenticated` */
        Unauthenticated: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `forbidden` */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `not_found` */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `request_timeout` */
        RequestTimeout: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `precondition_failed` */
        PreconditionFailed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `body_too_large` */
        BodyTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unsupported_media_type`, `unsupported_content_encoding` */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unsupported_content_encoding` */
        CompressedBody: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `idempotency_key_reused` */
        KeyReused: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `rate_limited` */
        RateLimited: {
            headers: {
                "Retry-After": components["headers"]["Retry-After"];
                "RateLimit-Limit": components["headers"]["RateLimit-Limit"];
                "RateLimit-Remaining": components["headers"]["RateLimit-Remaining"];
                "RateLimit-Reset": components["headers"]["RateLimit-Reset"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `range_not_satisfiable` */
        RangeNotSatisfiable: {
            headers: {
                "Content-Range": components["headers"]["Content-Range"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not modified. The client's copy is current. */
        NotModified: {
            headers: {
                ETag: components["headers"]["ETag"];
                "X-Cache": components["headers"]["X-Cache"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description Any other problem; a 5xx is `internal`, `unavailable`, `busy`, `not_ready` or, for jobs, `jobs_not_searchable` */
        Problem: {
            headers: {
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description The `next_cursor` of the page before: of the same list, with the same filters */
        JobCursor: string;
        /** @description The job */
        JobID: string;
        /** @description The queue */
        QueueName: string;
        /** @description The schedule */
        ScheduleID: string;
        /** @description The item of the queue */
        ItemID: components["schemas"]["ID"];
        /** @description The party */
        PartyID: components["schemas"]["ID"];
        /** @description The room */
        RoomID: components["schemas"]["ID"];
        /** @description The `next_cursor` of the page before: of the same list, with the same filters */
        Cursor: components["schemas"]["Cursor"];
        /** @description The maximum number of items on a page */
        Limit: number;
        /** @description The username, in any case */
        Username: components["schemas"]["Username"];
        /**
         * @description The words to find, in any spelling: case, accents and punctuation do not count, so `face off`, `faceoff` and
         *     `Face/Off` are the same. Words may come in any order, and the last one may be incomplete; in scripts without
         *     spaces any part of a text matches. The best matches come first. If nothing matches, each word of four letters or
         *     more may have one wrong letter. Symbols such as `$` or `🍿` can be found in texts that have nothing else. A
         *     cursor belongs to the search that gave it.
         */
        Search: string;
        /** @description Why the admin does it, for the audit log. Empty for no reason. */
        Note: components["schemas"]["AdminNote"];
        /** @description Why the admin does it, for the audit log and for other admins */
        RequiredNote: components["schemas"]["AdminNote"];
        /**
         * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
         *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
         *     a 422.
         */
        IdempotencyKey: string;
        /**
         * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
         *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
         *     they come to a party.
         */
        IfMatch: string;
        /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
        IfNoneMatch: string;
        /**
         * @description The wanted bytes, such as `bytes=0-99`. Another unit, and more than one range, are ignored: the answer is the
         *     whole picture.
         */
        Range: string;
        /** @description The ETag of the picture of which `Range` is a part. If it is not current, the answer is the whole picture. */
        IfRange: string;
    };
    requestBodies: never;
    headers: {
        /** @description Whether the answer came from the cache */
        "X-Cache": "HIT" | "MISS";
        /** @description The entity tag of what a GET of the resource would answer */
        ETag: string;
        /** @description The seconds to wait before the next request; in each 429, and in each 503 problem */
        "Retry-After": number;
        /** @description How many requests the limit allows at once; in each answer to a counted request */
        "RateLimit-Limit": number;
        /** @description How many of these requests are left now; in each answer to a counted request */
        "RateLimit-Remaining": number;
        /** @description The seconds until all of these requests are available again; in each answer to a counted request */
        "RateLimit-Reset": number;
        /** @description The scheme of the access token: `Bearer realm="watchparty"` */
        "WWW-Authenticate": string;
        /** @description `bytes`: a part of the picture can be requested */
        "Accept-Ranges": string;
        /** @description The name of the file */
        "Content-Disposition": string;
        /** @description The range of bytes, and the total */
        "Content-Range": string;
        /** @description The address of what was created */
        Location: string;
        /** @description `true` if an earlier request with the same `Idempotency-Key` created it; absent otherwise */
        "Idempotent-Replayed": "true";
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    register: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RegisterRequest"];
            };
        };
        responses: {
            /** @description The account, signed in */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedInAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            /** @description `bad_credentials` */
            401: {
                headers: {
                    "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `account_suspended` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description `email_taken`, `username_taken` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
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
                "application/json": components["schemas"]["LoginRequest"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedInAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            /** @description `bad_credentials` */
            401: {
                headers: {
                    "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `account_suspended` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
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
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description The next pair */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedInAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            /** @description `bad_refresh_token` */
            401: {
                headers: {
                    "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
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
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description Confirmed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad_token`, `invalid_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description `email_taken` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    requestPasswordReset: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EmailRequest"];
            };
        };
        responses: {
            /** @description Accepted. The answer does not depend on whether the account exists. */
            202: {
                headers: {
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    confirmPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResetRequest"];
            };
        };
        responses: {
            /** @description Set; every sign-in of the account is ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad_token`, `invalid_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    deleteMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeleteMeRequest"];
            };
        };
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `wrong_password` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description `last_admin` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    updateMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateMeRequest"];
            };
        };
        responses: {
            /** @description The account as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    exportMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A JSON document, to be stored as a file */
            200: {
                headers: {
                    "Content-Disposition": components["headers"]["Content-Disposition"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
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
                "application/json": components["schemas"]["ChangePasswordRequest"];
            };
        };
        responses: {
            /** @description Changed; the account's other sign-ins are ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `wrong_password` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
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
                "application/json": components["schemas"]["ChangeEmailRequest"];
            };
        };
        responses: {
            /** @description An email is sent to the new address if no account has it. The address changes when its link is confirmed. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `wrong_password` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    resendVerification: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted, unless the address is confirmed already */
            202: {
                headers: {
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listSessions: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sign-ins */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    endOtherSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    endSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The sign-in */
                session_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listMyRooms: {
        parameters: {
            query?: {
                /** @description Only those where the caller has this role */
                role?: components["schemas"]["Role"];
                /** @description Only those in this state */
                state?: components["schemas"]["RoomState"];
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rooms */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyRoomList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listMyParties: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The parties */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PartyList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listMyInvitations: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The invitations */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyInvitationList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    acceptMyInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The invitation */
                invitation_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The room, with the caller in it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            /** @description `room_archived`, `room_closed`, `room_full` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    declineMyInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The invitation */
                invitation_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Declined */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getAvatar: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The upload's state */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AvatarAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    putAvatar: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description A JPEG, PNG, WebP or GIF of at most 5 MiB (by default)
                     */
                    avatar: Blob;
                };
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AvatarAnswer"];
                };
            };
            /** @description `avatar_empty`, `avatar_too_many_pixels`, `avatar_unreadable`, `invalid_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            /** @description `avatar_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `avatar_unsupported_format`, `unsupported_content_encoding`, `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    deleteAvatar: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listProfiles: {
        parameters: {
            query: {
                /** @description At most 100, with commas between them: `?usernames=alice,bob` */
                usernames: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The profiles, in the order of their names */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProfileList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getProfile: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The username, in any case */
                username: components["schemas"]["Username"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The profile */
            200: {
                headers: {
                    "X-Cache": components["headers"]["X-Cache"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProfileAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getAvatarFile: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
                 *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
                 *     they come to a party.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
                /**
                 * @description The wanted bytes, such as `bytes=0-99`. Another unit, and more than one range, are ignored: the answer is the
                 *     whole picture.
                 */
                Range?: components["parameters"]["Range"];
                /** @description The ETag of the picture of which `Range` is a part. If it is not current, the answer is the whole picture. */
                "If-Range"?: components["parameters"]["IfRange"];
            };
            path: {
                /** @description The account */
                user_id: components["schemas"]["ID"];
                /** @description The version of the avatar */
                version: number;
                /** @description The size and the format of the picture */
                name: "thumbnail.webp" | "medium.webp" | "large.webp" | "medium.jpg" | "medium.png";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "Accept-Ranges": components["headers"]["Accept-Ranges"];
                    [name: string]: unknown;
                };
                content: {
                    "image/webp": Blob;
                    "image/jpeg": Blob;
                    "image/png": Blob;
                };
            };
            /** @description A part of the picture */
            206: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "Content-Range": components["headers"]["Content-Range"];
                    [name: string]: unknown;
                };
                content: {
                    "image/webp": Blob;
                    "image/jpeg": Blob;
                    "image/png": Blob;
                };
            };
            /** @description Where the picture is served, when that is not here */
            302: {
                headers: {
                    /** @description The address of the picture */
                    Location?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            416: components["responses"]["RangeNotSatisfiable"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getDefaultAvatar: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
                 *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
                 *     they come to a party.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
                /**
                 * @description The wanted bytes, such as `bytes=0-99`. Another unit, and more than one range, are ignored: the answer is the
                 *     whole picture.
                 */
                Range?: components["parameters"]["Range"];
                /** @description The ETag of the picture of which `Range` is a part. If it is not current, the answer is the whole picture. */
                "If-Range"?: components["parameters"]["IfRange"];
            };
            path: {
                /** @description The account */
                user_id: components["schemas"]["ID"];
                /** @description The format of the picture */
                default_name: "default.svg" | "default.png";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "Accept-Ranges": components["headers"]["Accept-Ranges"];
                    [name: string]: unknown;
                };
                content: {
                    "image/svg+xml": Blob;
                    "image/png": Blob;
                };
            };
            /** @description A part of the picture */
            206: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "Content-Range": components["headers"]["Content-Range"];
                    [name: string]: unknown;
                };
                content: {
                    "image/svg+xml": Blob;
                    "image/png": Blob;
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            416: components["responses"]["RangeNotSatisfiable"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listMovies: {
        parameters: {
            query?: {
                /**
                 * @description The words to find, in any spelling: case, accents and punctuation do not count, so `face off`, `faceoff` and
                 *     `Face/Off` are the same. Words may come in any order, and the last one may be incomplete; in scripts without
                 *     spaces any part of a text matches. The best matches come first. If nothing matches, each word of four letters or
                 *     more may have one wrong letter. Symbols such as `$` or `🍿` can be found in texts that have nothing else. A
                 *     cursor belongs to the search that gave it.
                 */
                q?: components["parameters"]["Search"];
                /** @description The IDs of at most 100 movies, separated by commas: `?ids=0190…,0191…` */
                ids?: string;
                /** @description A genre in any spelling: `Sci-Fi`, `sci fi` and `scifi` are one genre */
                genre?: components["schemas"]["Genre"];
                /** @description The first year of release */
                year_from?: number;
                /** @description The last year of release */
                year_to?: number;
                /** @description Minutes */
                runtime_max?: number;
                /** @description Whether to list the archived movies instead of the catalogue. For admins. */
                archived?: boolean;
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Movies in the order in which they were added, or the best matches first with `q` */
            200: {
                headers: {
                    "X-Cache": components["headers"]["X-Cache"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MovieList"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    createMovie: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateMovieRequest"];
            };
        };
        responses: {
            /** @description The movie */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MovieAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `movie_exists` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listGenres: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The genres */
            200: {
                headers: {
                    "X-Cache": components["headers"]["X-Cache"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GenreList"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getMovie: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
                 *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
                 *     they come to a party.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The movie */
                movie_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The movie */
            200: {
                headers: {
                    "X-Cache": components["headers"]["X-Cache"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CachedMovieAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    deleteMovie: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
                 *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
                 *     they come to a party.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The movie */
                movie_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `movie_in_use` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    updateMovie: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
                 *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
                 *     they come to a party.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The movie */
                movie_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateMovieRequest"];
            };
        };
        responses: {
            /** @description The movie as it is now */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MovieAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `movie_exists` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listRooms: {
        parameters: {
            query?: {
                /**
                 * @description The words to find, in any spelling: case, accents and punctuation do not count, so `face off`, `faceoff` and
                 *     `Face/Off` are the same. Words may come in any order, and the last one may be incomplete; in scripts without
                 *     spaces any part of a text matches. The best matches come first. If nothing matches, each word of four letters or
                 *     more may have one wrong letter. Symbols such as `$` or `🍿` can be found in texts that have nothing else. A
                 *     cursor belongs to the search that gave it.
                 */
                q?: components["parameters"]["Search"];
                /** @description Only rooms with this movie */
                movie_id?: components["schemas"]["ID"];
                /** @description Only rooms that are not full */
                available?: boolean;
                /**
                 * @description The order, `newest` first unless another is given; not with `q`. `active` has the rooms of the latest
                 *     activity first: people who join, and messages. Activity is counted in steps of 10 minutes, and a page may be
                 *     a minute old. A room that becomes active while a client reads page by page moves to the top; no room comes
                 *     twice. `people` has the rooms with the most people present first, and leaves out those in which nobody is
                 *     present. When their number changes while a client reads page by page, a room may come twice or be left out.
                 */
                sort?: "newest" | "active" | "people";
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Rooms, in the order that `sort` names, or the best matches first with `q` */
            200: {
                headers: {
                    "X-Cache": components["headers"]["X-Cache"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomList"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    createRoom: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateRoomRequest"];
            };
        };
        responses: {
            /** @description The room */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomAnswer"];
                };
            };
            /** @description `invalid_request`, `unknown_movie` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getRoom: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
                 *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
                 *     they come to a party.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The room */
            200: {
                headers: {
                    "X-Cache": components["headers"]["X-Cache"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CachedRoomAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    deleteRoom: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
                 *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
                 *     they come to a party.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The room is deleted for everyone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    updateRoom: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
                 *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
                 *     they come to a party.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateRoomRequest"];
            };
        };
        responses: {
            /** @description The room as it is now */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomAnswer"];
                };
            };
            /** @description `invalid_request`, `unknown_movie` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `room_archived`, `room_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    joinRoom: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The room, with the caller in it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            /** @description `room_archived`, `room_closed`, `room_full` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    leaveRoom: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Left */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    sendHeartbeat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The heartbeat is recorded */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `not_participant` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    markRead: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MarkReadRequest"];
            };
        };
        responses: {
            /** @description Marked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `invalid_request`, `unknown_message` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `not_participant` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getMyStanding: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The standing */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StandingAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    quitRoom: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Left */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            /** @description `no_next_host` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listParticipants: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The participants */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ParticipantList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    kickParticipant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
                /** @description The username, in any case */
                username: components["parameters"]["Username"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The participant is out of the room */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    setParticipantRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
                /** @description The username, in any case */
                username: components["parameters"]["Username"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetRoleRequest"];
            };
        };
        responses: {
            /** @description The participant as they are now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ParticipantAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `own_role`, `room_archived`, `room_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listBans: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bans in force */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BanList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    banUser: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BanRequest"];
            };
        };
        responses: {
            /** @description The ban */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BanAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getBan: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
                /** @description The username, in any case */
                username: components["parameters"]["Username"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ban */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BanAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    liftBan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
                /** @description The username, in any case */
                username: components["parameters"]["Username"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Lifted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listMutes: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The mutes in force */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MuteList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    muteUser: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MuteRequest"];
            };
        };
        responses: {
            /** @description The mute */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MuteAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getMute: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
                /** @description The username, in any case */
                username: components["parameters"]["Username"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The mute */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MuteAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    liftMute: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
                /** @description The username, in any case */
                username: components["parameters"]["Username"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Lifted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listRoomLog: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The acts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomActList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getNowPlaying: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The public view of what the room plays */
            200: {
                headers: {
                    "X-Cache": components["headers"]["X-Cache"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NowPlayingAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getPlayback: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlaybackAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    sendPlaybackCommand: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlaybackCommand"];
            };
        };
        responses: {
            /** @description The state after it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlaybackCommandAnswer"];
                };
            };
            /** @description `invalid_request`, `unknown_item`, `unknown_movie` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden`, `muted`, `not_participant` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `movie_without_stream`, `nothing_playing`, `nothing_to_play`, `playback_stale`, `room_archived`, `room_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `command_id_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    voteToSkip: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SkipVote"];
            };
        };
        responses: {
            /** @description The state after it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlaybackAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `not_participant` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `nothing_playing`, `playback_stale`, `room_archived`, `room_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getRoomQueue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The queue */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    addToQueue: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddToQueueRequest"];
            };
        };
        responses: {
            /** @description The item */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueItemAnswer"];
                };
            };
            /** @description `invalid_request`, `unknown_movie` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden`, `muted`, `not_participant` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `movie_without_stream`, `queue_full`, `queue_full_of_yours`, `room_archived`, `room_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getQueueItem: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
                /** @description The item of the queue */
                item_id: components["parameters"]["ItemID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The item */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueItemAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    removeFromQueue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
                /** @description The item of the queue */
                item_id: components["parameters"]["ItemID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden`, `muted`, `not_participant` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            /** @description `room_archived`, `room_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    moveInQueue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
                /** @description The item of the queue */
                item_id: components["parameters"]["ItemID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoveInQueueRequest"];
            };
        };
        responses: {
            /** @description Moved */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden`, `muted`, `not_participant` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `room_archived`, `room_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    voteForItem: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
                /** @description The item of the queue */
                item_id: components["parameters"]["ItemID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The vote counts */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `not_participant` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            /** @description `room_archived`, `room_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    withdrawVote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
                /** @description The item of the queue */
                item_id: components["parameters"]["ItemID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The vote does not count any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `not_participant` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            /** @description `room_archived`, `room_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listParties: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The parties */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PartyList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    scheduleParty: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SchedulePartyRequest"];
            };
        };
        responses: {
            /** @description The party */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PartyAnswer"];
                };
            };
            /** @description `invalid_request`, `party_time`, `unknown_movie` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden`, `muted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `movie_without_stream`, `party_too_close`, `room_archived`, `room_closed`, `too_many_parties` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getParty: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
                 *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
                 *     they come to a party.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The party */
                party_id: components["parameters"]["PartyID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The party */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PartyAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    cancelParty: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
                 *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
                 *     they come to a party.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The party */
                party_id: components["parameters"]["PartyID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Cancelled */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden`, `muted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            /** @description `party_ended` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    updateParty: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match.
                 *     Only the version in the tag is compared, which does not change when people join or leave a room, or say whether
                 *     they come to a party.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The party */
                party_id: components["parameters"]["PartyID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdatePartyRequest"];
            };
        };
        responses: {
            /** @description The party as it is now */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PartyAnswer"];
                };
            };
            /** @description `invalid_request`, `party_time`, `unknown_movie` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden`, `muted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `movie_without_stream`, `party_ended`, `party_too_close`, `too_many_moves` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    answerParty: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The party */
                party_id: components["parameters"]["PartyID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AnswerPartyRequest"];
            };
        };
        responses: {
            /** @description Answered */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `party_ended`, `too_many_answers` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listPartyAnswers: {
        parameters: {
            query?: {
                /** @description Only those who answered so */
                answer?: components["schemas"]["PartyReply"];
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /** @description The party */
                party_id: components["parameters"]["PartyID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The people */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PartyGuestList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getPartyCalendar: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The party */
                party_id: components["parameters"]["PartyID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The calendar */
            200: {
                headers: {
                    "Content-Disposition": components["headers"]["Content-Disposition"];
                    [name: string]: unknown;
                };
                content: {
                    "text/calendar": string;
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listInvitations: {
        parameters: {
            query?: {
                /** @description Only those in this state */
                state?: components["schemas"]["InvitationState"];
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The invitations */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    createInvitation: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EmailRequest"];
            };
        };
        responses: {
            /** @description The invitation */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `email_unverified`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `room_archived`, `room_closed`, `too_many_daily_invitations`, `too_many_open_invitations` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getInvitation: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The invitation */
                invitation_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The invitation */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    revokeInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The invitation */
                invitation_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    lookUpInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description The invitation and its room */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationPreviewAnswer"];
                };
            };
            /** @description `bad_token`, `invalid_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    acceptInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description The room, with the caller in it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomAnswer"];
                };
            };
            /** @description `bad_token`, `invalid_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description `room_archived`, `room_closed`, `room_full` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    declineInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description Declined */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad_token`, `invalid_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    unsubscribeFromInvitations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description The address is recorded */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    resubscribeToInvitations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description The address is recorded */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad_token`, `invalid_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listMessages: {
        parameters: {
            query: {
                /** @description The room */
                room_id: components["schemas"]["ID"];
                /** @description Messages older than this cursor */
                before?: components["schemas"]["Cursor"];
                /**
                 * @description Messages newer than this cursor, the oldest first. For edits and deletions of older messages, see
                 *     `updated_after`
                 */
                after?: components["schemas"]["Cursor"];
                /**
                 * @description An `updates_cursor`: the messages that were edited or deleted since, each once as it is now, the oldest
                 *     change first. The first page of the room (without `before`, `after` and `updated_after`) has the cursor to
                 *     begin with; each page of updates has the next one. A client that always continues from there misses no
                 *     change, but may see a change twice. Messages that quote a changed one are not among them: a client changes
                 *     their excerpts itself. If messages are hidden or shown because an admin suspended or reinstated their
                 *     author, that is no change.
                 */
                updated_after?: components["schemas"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Messages, newest first; oldest first with `after`, and the oldest change first with `updated_after` */
            200: {
                headers: {
                    "X-Cache": components["headers"]["X-Cache"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageList"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    postMessage: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PostMessageRequest"];
            };
        };
        responses: {
            /** @description The message */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageAnswer"];
                };
            };
            /** @description `invalid_request`, `unknown_message` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `muted`, `not_participant` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `room_archived`, `room_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            /** @description `rate_limited`, `slow_mode` */
            429: {
                headers: {
                    "Retry-After": components["headers"]["Retry-After"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMessage: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The message */
                message_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The message */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    deleteMessage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The message */
                message_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    editMessage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The message */
                message_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditMessageRequest"];
            };
        };
        responses: {
            /** @description The message as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned`, `edit_window_over`, `forbidden`, `muted`, `not_participant` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `room_archived`, `room_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    reportAbuse: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReportAbuseRequest"];
            };
        };
        responses: {
            /** @description The report, as its reporter sees it */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SentAbuseReportAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            /** @description `banned` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `cannot_report_oneself` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            /** @description `rate_limited`, `too_many_reports` */
            429: {
                headers: {
                    "Retry-After": components["headers"]["Retry-After"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMyAbuseReport: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The report of abuse */
                abuse_report_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The report, as its reporter sees it */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SentAbuseReportAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Requests are served, perhaps without some part */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            /** @description The database is down */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthAnswer"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alive */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            default: components["responses"]["Problem"];
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            default: components["responses"]["Problem"];
        };
    };
    startCleanup: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["StartCleanupRequest"];
            };
        };
        responses: {
            /** @description Accepted. The run's address is in `Location` and in `status_url` */
            202: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CleanupStartedAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listCleanupRuns: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The runs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CleanupRunList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getCleanupRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The run */
                run_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The run, with its counts so far */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CleanupRunAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    cancelCleanupRun: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The run */
                run_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The run */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CleanupRunAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `run_ended` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listRetiredRooms: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rooms */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetiredRoomList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    adminListRooms: {
        parameters: {
            query?: {
                /**
                 * @description The words to find, in any spelling: case, accents and punctuation do not count, so `face off`, `faceoff` and
                 *     `Face/Off` are the same. Words may come in any order, and the last one may be incomplete; in scripts without
                 *     spaces any part of a text matches. The best matches come first. If nothing matches, each word of four letters or
                 *     more may have one wrong letter. Symbols such as `$` or `🍿` can be found in texts that have nothing else. A
                 *     cursor belongs to the search that gave it.
                 */
                q?: components["parameters"]["Search"];
                /** @description Only rooms of this host */
                host_id?: components["schemas"]["ID"];
                /** @description `closed`: rooms that an admin closed; `archived`: all archived rooms, the closed ones included */
                state?: "open" | "archived" | "closed";
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rooms */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminRoomList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    adminGetRoom: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The room */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminRoomAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    adminListMessages: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The messages */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminMessageList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    closeRoom: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CloseRoomRequest"];
            };
        };
        responses: {
            /** @description The room */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminRoomAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    reopenRoom: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReopenRoomRequest"];
            };
        };
        responses: {
            /** @description The room */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminRoomAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `room_without_host` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    adminDeleteMessage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The message */
                message_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RemoveMessageRequest"];
            };
        };
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listAbuseReports: {
        parameters: {
            query?: {
                /** @description Only those in this state */
                state?: components["schemas"]["AbuseReportState"];
                /** @description Only those of this kind */
                kind?: components["schemas"]["AbuseKind"];
                /** @description Only reports about things of this kind */
                target?: components["schemas"]["AbuseTargetKind"];
                /** @description About this account, its rooms or its messages */
                user_id?: components["schemas"]["ID"];
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The reports */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AbuseReportList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getAbuseReport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The report of abuse */
                abuse_report_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The report */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AbuseReportAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    resolveAbuseReport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The report of abuse */
                abuse_report_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResolveAbuseReportRequest"];
            };
        };
        responses: {
            /** @description The report */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AbuseReportAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `report_resolved` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    restoreRoom: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The room */
                room_id: components["parameters"]["RoomID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The room */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `room_not_retired`, `room_without_host` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listSchedules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schedules */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    pauseSchedule: {
        parameters: {
            query: {
                /** @description Why the admin does it, for the audit log and for other admins */
                note: components["parameters"]["RequiredNote"];
            };
            header?: never;
            path: {
                /** @description The schedule */
                schedule_id: components["parameters"]["ScheduleID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schedule */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    resumeSchedule: {
        parameters: {
            query: {
                /** @description Why the admin does it, for the audit log and for other admins */
                note: components["parameters"]["RequiredNote"];
            };
            header?: never;
            path: {
                /** @description The schedule */
                schedule_id: components["parameters"]["ScheduleID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schedule */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    triggerSchedule: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The schedule */
                schedule_id: components["parameters"]["ScheduleID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schedule */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    backfillSchedule: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The schedule */
                schedule_id: components["parameters"]["ScheduleID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleBackfill"];
            };
        };
        responses: {
            /** @description The schedule */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listActivityReports: {
        parameters: {
            query?: {
                /** @description Only those of this kind */
                kind?: components["schemas"]["ReportKind"];
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The reports */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getActivityReport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The report */
                report_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The report */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getActivityReportTable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The report */
                report_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The table */
            200: {
                headers: {
                    "Content-Disposition": components["headers"]["Content-Disposition"];
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    viewActivityReport: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description The report */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportViewAnswer"];
                };
            };
            /** @description `bad_token`, `invalid_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /**
                 * @description Words of the username and display name, searched like rooms and movies, or the beginning of the email
                 *     address
                 */
                q?: string;
                /** @description Only those in this state */
                state?: components["schemas"]["UserState"];
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The accounts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUserList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The account */
                user_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUserAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    suspendUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The account */
                user_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SuspendRequest"];
            };
        };
        responses: {
            /** @description The account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUserAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `cannot_suspend_oneself`, `report_resolved` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    reinstateUser: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The account */
                user_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUserAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    grantAdmin: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The account */
                user_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUserAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `account_unverified` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    revokeAdmin: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The account */
                user_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUserAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `last_admin` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listAdmins: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The accounts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUserList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listUserSessions: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /** @description The account */
                user_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sign-ins */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    endUserSessions: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The account */
                user_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    endUserSession: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The account */
                user_id: components["schemas"]["ID"];
                /** @description The sign-in */
                session_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listEmails: {
        parameters: {
            query?: {
                /** @description Only those of this kind */
                kind?: components["schemas"]["EmailKind"];
                /** @description Only those in this state */
                state?: components["schemas"]["EmailState"];
                /** @description Only those with this reason */
                reason?: components["schemas"]["EmailReason"];
                /** @description Only those to this account */
                user_id?: components["schemas"]["ID"];
                /** @description Only those to this address */
                address?: string;
                /** @description Only invitations to this room */
                room_id?: components["schemas"]["ID"];
                /** @description Only those of this invitation */
                invitation_id?: components["schemas"]["ID"];
                /** @description Only those that were queued at this time or later */
                from?: string;
                /** @description Only those that were queued before this time; it has to be after `from` */
                to?: string;
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The emails */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getEmailPause: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pause */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailPauseAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    pauseEmails: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pause */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailPauseAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    resumeEmails: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pause, which is over */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailPauseAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listEmailPreviews: {
        parameters: {
            query?: {
                /** @description The language that the emails are shown in */
                language?: components["schemas"]["Language"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The emails */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailPreviewList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getEmail: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The email */
                email_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The email */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    resendEmail: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The email */
                email_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new email */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `email_not_ended` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    cancelEmail: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The email */
                email_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The email */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `email_ended` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listWebhooks: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The webhooks */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    createWebhook: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: {
                /**
                 * @description A key that the client chooses, another one for each thing to create. If a request is sent again with the same
                 *     key within 24 hours, the answer is what the first one created, or a 404 if that is gone. With another body it is
                 *     a 422.
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateWebhookRequest"];
            };
        };
        responses: {
            /** @description The webhook, with its secret */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `too_many_webhooks` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The webhook */
                webhook_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The webhook */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    deleteWebhook: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The webhook */
                webhook_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The webhook is removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    updateWebhook: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The webhook */
                webhook_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateWebhookRequest"];
            };
        };
        responses: {
            /** @description The webhook as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    rotateWebhookSecret: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The webhook */
                webhook_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RotateSecretRequest"];
            };
        };
        responses: {
            /** @description The webhook, with its new secret */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    testWebhook: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The webhook */
                webhook_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `webhook_off` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    replayWebhook: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The webhook */
                webhook_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayWebhookRequest"];
            };
        };
        responses: {
            /** @description The number of queued deliveries */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookReplayAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `webhook_off` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listWebhookDeliveries: {
        parameters: {
            query?: {
                /** @description Only those in this state */
                state?: components["schemas"]["WebhookDeliveryState"];
                /** @description Only those of this kind */
                kind?: components["schemas"]["WebhookMessageKind"];
                /** @description Only those whose event was at this time or later */
                from?: string;
                /** @description Only those whose event was before this time; it has to be after `from` */
                to?: string;
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /** @description The webhook */
                webhook_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The deliveries */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getWebhookDelivery: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still current, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description The delivery */
                delivery_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryAnswer"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    redeliverWebhook: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The delivery */
                delivery_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `delivery_not_ended`, `webhook_off` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getOverview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The overview */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OverviewAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /** @description Only those of this kind */
                kind?: components["schemas"]["JobKind"];
                /** @description Only those in this state */
                state?: components["schemas"]["JobState"];
                /** @description Only jobs whose workflow runs on this task queue */
                queue?: components["schemas"]["WorkerQueue"];
                /** @description Only those about this account */
                user_id?: components["schemas"]["ID"];
                /** @description Only those about this room */
                room_id?: components["schemas"]["ID"];
                /** @description Only those that began at this time or later */
                from?: string;
                /** @description Only those that began before this time; it has to be after `from` */
                to?: string;
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["JobCursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The jobs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    countJobs: {
        parameters: {
            query?: {
                /** @description Only those of this kind */
                kind?: components["schemas"]["JobKind"];
                /** @description Only those in this state */
                state?: components["schemas"]["JobState"];
                /** @description Only jobs whose workflow runs on this task queue */
                queue?: components["schemas"]["WorkerQueue"];
                /** @description Only those about this account */
                user_id?: components["schemas"]["ID"];
                /** @description Only those about this room */
                room_id?: components["schemas"]["ID"];
                /** @description Only those that began at this time or later */
                from?: string;
                /** @description Only those that began before this time; it has to be after `from` */
                to?: string;
                /** @description Whether to return only `total`, which is much faster with tens of thousands of jobs. `kinds` is empty then. */
                only_total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The counts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobCountsAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job */
                job_id: components["parameters"]["JobID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `job_expired`, `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `job_not_started` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    cancelJob: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The job */
                job_id: components["parameters"]["JobID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `job_expired`, `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `job_ended`, `job_not_started` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    terminateJob: {
        parameters: {
            query: {
                /** @description Why the admin does it, for the audit log and for other admins */
                note: components["parameters"]["RequiredNote"];
            };
            header?: never;
            path: {
                /** @description The job */
                job_id: components["parameters"]["JobID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `job_expired`, `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `job_ended`, `job_not_started` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    retryJob: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The job */
                job_id: components["parameters"]["JobID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job that does the work now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetryAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `job_expired`, `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `job_not_started`, `nothing_to_retry`, `queue_paused` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    actOnJobs: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobBatch"];
            };
        };
        responses: {
            /** @description The result */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobBatchAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            /** @description `jobs_changed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listTaskQueues: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The queues */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskQueuesAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    pauseTaskQueue: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The queue */
                queue: components["parameters"]["QueueName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The queues */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskQueuesAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    resumeTaskQueue: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The queue */
                queue: components["parameters"]["QueueName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The queues */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskQueuesAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getOutbox: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The outbox */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutboxAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listOutboxEvents: {
        parameters: {
            query?: {
                /** @description `pending` events are tried again by themselves, `abandoned` events are not */
                state?: "pending" | "abandoned";
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutboxEventList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    requeueOutboxEvent: {
        parameters: {
            query?: {
                /** @description Why the admin does it, for the audit log. Empty for no reason. */
                note?: components["parameters"]["Note"];
            };
            header?: never;
            path: {
                /** @description The event */
                event_id: components["schemas"]["ID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The event */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutboxEventAnswer"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description `event_started` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listCleanupPolicies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The policies */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CleanupPolicyList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    listAuditLog: {
        parameters: {
            query?: {
                /** @description Only acts of this account */
                actor_id?: components["schemas"]["ID"];
                /** @description Only those about this thing */
                target_id?: components["schemas"]["ID"];
                /** @description Only acts of this kind */
                action?: components["schemas"]["AuditAction"];
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description The maximum number of items on a page */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The acts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            412: components["responses"]["PreconditionFailed"];
            415: components["responses"]["CompressedBody"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
}
