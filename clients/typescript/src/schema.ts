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
         * @description The former refresh token works for 30 seconds more, each time for another pair; it is refused with a 429 when it has
         *     yielded too many. Use of it after that ends the sign-in, since it may be stolen.
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
         * @description Makes the address that the email went to the account's address. Confirming it again is a success.
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
         * Set a new password by a reset token
         * @description A token works for 30 minutes and once; a newer one, and any change of the password, makes it void. An email tells the
         *     account's address of the change.
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
         * @description Has what only the owner sees: the email address and whether it is confirmed.
         */
        get: operations["getMe"];
        put?: never;
        post?: never;
        /**
         * Delete your account
         * @description Deletes the caller's names, email address and sign-ins at once, and files in the background. Messages stay, without an author.
         *     Rooms that the caller hosts pass to another host, as if the host had left, or are archived. A wrong password is a 403
         *     `wrong_password`. The last admin's account is a 409 `last_admin`.
         */
        delete: operations["deleteMe"];
        options?: never;
        head?: never;
        /**
         * Update your profile
         * @description Changes the fields that are sent, and leaves the others as they are.
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
         * @description Everything that is stored about the account: what it entered, what it did, and what was done to it. The export does not have
         *     the names of others, what others wrote, secrets, and the service's counters.
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
         * @description An email tells the account's address of it. The account's other sign-ins are ended.
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
         * @description Each sign-in is one device or browser that has signed in and has not signed out. The present one is marked.
         */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        /**
         * End all your other sign-ins
         * @description Ends all sign-ins of the account but the one that asks. Their access tokens end with them.
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
         * @description The rooms where the caller has a role or is a member, archived ones among them.
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
    "/users/me/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the own open invitations, newest first
         * @description Those that went to the account's confirmed address and that the caller can accept. An address that is not confirmed proves
         *     nothing: its account has none. An invitation is not in the list once its inviter may not invite to the room any more, while the
         *     room bans the caller, and after an admin has closed the room.
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
         * Accept an own invitation and join its room
         * @description Needs no token: the invitation went to the account's confirmed address. Otherwise the rules of `POST /invitations/accept` hold.
         *     An invitation to another address is a 404, and so is one that is not open any more. Accepting again is joining again.
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
         * Decline an own invitation
         * @description Needs no token: the invitation went to the account's confirmed address. An invitation to another address is a 404, and so is one
         *     that has ended otherwise. Declining again is a success.
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
         * @description JPEG, PNG, WebP or GIF, at most 5 MB and 50 megapixels. It is turned upright, cropped to the square that draws
         *     most attention, brought to sRGB and freed of all metadata in the background; ask `GET /users/me/avatar` for its
         *     state. Until it is ready the former avatar stays. A newer upload ends those that are not rendered yet, and if it
         *     is refused then, the former avatar stays, too. An account may have three uploads on their way at a time (429),
         *     and each has to come at 16 KiB a second or faster, on average, after the first ten seconds.
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
         * @description For the people of a chat, for example. Usernames that do not exist are left out.
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
         * @description What everybody may see of an account: its names and its avatar.
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
         * @description Never changes under its address. Profiles give these addresses.
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
         * @description A pattern that is made from the ID alone, and so the same for ever, whether or not there is such a user. Profiles give
         *     this address.
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
         * @description With `ids` the list is of these movies, archived ones included, on one page. An ID that no movie has is left out. `ids` does not
         *     go with another parameter: that is a 400.
         */
        get: operations["listMovies"];
        put?: never;
        /**
         * Add a movie
         * @description For admins.
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
         * @description The genres of the movies in the catalogue, those of the most movies first, and at most 500. Spellings that `GET /movies?genre=`
         *     takes for one genre are one here, too, written the way that most movies have it.
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
         * @description For admins. A movie that rooms have is a 409, with their number in `details.rooms`; archive it instead.
         */
        delete: operations["deleteMovie"];
        options?: never;
        head?: never;
        /**
         * Update a movie
         * @description For admins. An archived movie is not in the catalogue; rooms that have it keep it.
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
         * @description Unlisted and private rooms are not among them. With `q` it is a search.
         */
        get: operations["listRooms"];
        put?: never;
        /**
         * Open a room
         * @description The caller is its host and the first in it.
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
         * @description Says what the room is and who hosts it. `GET /rooms/{room_id}/me` says what the caller may do in it.
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
         * @description For its host. Those who are in a room that becomes private stay members of it. An archived room can be read, and nothing new
         *     happens in it; `open` brings it back, unless an admin closed it: that is a 409 `room_closed`.
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
         * @description Being in it already is a success. A full or archived room is a 409, a banned user gets a 403. A private room lets in its
         *     host and its members: whoever accepted an invitation, or was in it when it became private.
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
         * @description Not being in it is a success. When the host leaves, the role passes to whoever has been in the room longest: of the
         *     moderators who are present, else of the others who are, else of the absent in the same order; the former host stays a
         *     moderator. With nobody else in it, the room keeps its host, as does an archived one.
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
         * @description Send it every 30 seconds; whoever was not seen for 90 seconds is not `present`. Posting counts as well. When the host has not been
         *     seen for 10 minutes (by default), the role passes on, by the rule of leaving, to those who are.
         */
        post: operations["heartbeat"];
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
         * @description Up to a message of the room. `GET /users/me/rooms` counts as unread what others post after it. The marker never moves back: an
         *     older message than the one that is marked changes nothing. For whoever is in the room or has a role there, archived rooms
         *     included; anybody else gets a 403 `not_participant`. A message that the room does not have is a 400 `unknown_message`.
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
         * @description While a mute lasts, `post_message` is not among the permissions. A banned caller gets a 403 with the code `banned`. What an
         *     archived room refuses to everyone is no matter of permissions: read its `state`.
         */
        get: operations["getMyStanding"];
        put?: never;
        post?: never;
        /**
         * Give up your membership of a room
         * @description Gives up the caller's role and membership as well. The host's role passes on as in leaving; with nobody else in the room
         *     that is a 409 `own_role`: delete the room, or archive it.
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
         * @description Everyone, in the order in which they came; the room's capacity bounds the list.
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
         * @description Takes a person out of the room, together with their role and membership. Hosts and moderators can kick people of lower roles.
         *     The person can join again, unless the room is private.
         */
        delete: operations["kick"];
        options?: never;
        head?: never;
        /**
         * Set a participant's role
         * @description For the host, of whoever is in the room or has a role in it. `host` hands the room over, to someone who is in it: the caller is a
         *     moderator from then on. One's own role is a 409. For someone who is not in the room, `joined_at` and `last_seen_at` say since
         *     when they have had a role in it.
         */
        patch: operations["setRole"];
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
         * @description Hosts and moderators can ban people of lower roles, whether they are in the room or not. A ban takes the person out of the
         *     room, and keeps them out until it ends or is lifted. A second ban of a person replaces the first.
         */
        post: operations["ban"];
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
         * @description Hosts and moderators can mute people of lower roles, for at most 30 days. A mute lasts when the person leaves and joins again.
         *     A second mute of a person replaces the first.
         */
        post: operations["mute"];
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
    "/rooms/{room_id}/playback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get what a room watches
         * @description The state of the room's playback, by the clock of `now`. A state is an anchor: from `at` on it plays from `position_ms` with the rate
         *     `rate`. It is never cached.
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
         * @description For whom the room's `control` says, while they are in the room. Commands are absolute, and each has an ID that the client
         *     makes: a command that is sent again has the same ID, is applied once and answered with the `revision` that it had. A command
         *     names the `epoch` of the state that the person saw, and is a 409 `playback_stale` when another item has been loaded since. With
         *     `revision`, one that comes later than its ID is remembered is refused in the same way.
         *
         *     `play` begins what is next in the queue, or else the room's movie, when nothing is loaded. `load` names an item of the queue, a
         *     movie, or, for the host and moderators, an https address, which the service never asks for. `pause` carries the position that
         *     the person saw, which is taken if it is within a second of the computed one.
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
         * Vote to skip what plays
         * @description The item is skipped when half of those who are present vote so. Votes are for the item of an `epoch`; with `skip` false the
         *     vote is taken back.
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
         * Get what a room is to play, in order
         * @description By `queue_order` of the room: as people have put the items, or those with the most votes first. There are 200 items at most.
         */
        get: operations["getQueue"];
        put?: never;
        /**
         * Add to the queue
         * @description For whom the room's `queue` says, while they are in the room. The host and moderators can add an https address, which the
         *     service never asks for; others add movies. One person has 20 items in a queue at most.
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
         * @description One that is played or was removed is a 404.
         */
        get: operations["getQueueItem"];
        put?: never;
        post?: never;
        /**
         * Remove an item from the queue
         * @description One's own, or as the host or a moderator anybody's. Removing what plays skips it.
         */
        delete: operations["removeFromQueue"];
        options?: never;
        head?: never;
        /**
         * Move an item of the queue
         * @description For the host and moderators. In a queue by votes it has an effect once the room's order is manual again.
         */
        patch: operations["moveInQueue"];
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
         * @description A second vote for the same item changes nothing.
         */
        put: operations["voteForItem"];
        post?: never;
        /**
         * Take back a vote for an item of the queue
         * @description Without a vote nothing changes.
         */
        delete: operations["unvoteForItem"];
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
         * @description Hosts and moderators with a confirmed email address can invite. An invitation is open for 7 days. Inviting an address that has
         *     an open invitation to the room answers with that invitation.
         */
        post: operations["invite"];
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
         * @description Needs the token of the invitation's email, and no account. An invitation that is not open any more, or whose inviter may not
         *     invite to the room any more, is a 400 `bad_token`.
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
         * @description The token is in the invitation's email. Whoever has it may use it, once; a banned user may not. It needs that its inviter may
         *     still invite to the room: what takes that right away (a kick, a ban, another role, a suspension, a deletion) revokes it.
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
         * @description The token is in the link at the end of every invitation's email. It stands for the invitation's address, which gets no
         *     more invitations or reminders from then on. Those who invite it are not told.
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
         * @description Takes back what the same token was used for.
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
         * @description One page of the messages of a room, in either direction, or of those that have changed. Deleted messages stay, with an empty
         *     body. Only one of `before`, `after` and `updated_after` may be given.
         */
        get: operations["listMessages"];
        put?: never;
        /**
         * Post a message
         * @description A muted person gets a 403 `muted`. In slow mode, a message that comes too soon is a 429 `slow_mode` with `Retry-After`.
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
         * @description A message that was taken back is a 404.
         */
        get: operations["getMessage"];
        put?: never;
        post?: never;
        /**
         * Delete a message
         * @description One's own, or as host or moderator anyone's who is below. Its text is gone; that there was a message stays.
         */
        delete: operations["deleteMessage"];
        options?: never;
        head?: never;
        /**
         * Edit a message
         * @description One's own, within 15 minutes.
         */
        patch: operations["editMessage"];
        trace?: never;
    };
    "/reports": {
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
         * @description Exactly one of `room_id`, `message_id` and `username`, of what the caller can see: anything else is a 404. What is reported is kept
         *     as it is now. Nobody is shown who reported it. While a report is open, reporting the same again gives that one. At most 20 new
         *     reports an hour, a 429 `too_many_reports` above that. Nobody reports what is their own.
         */
        post: operations["reportAbuse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/reports/{abuse_report_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a report of abuse that the caller sent
         * @description Anyone else's is a 404.
         */
        get: operations["getSentAbuseReport"];
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
         * @description Only the database is needed to serve: without it the service is `down`. Without another part it is `degraded`:
         *     reads are slower without Redis, emails and pictures wait without Temporal, and avatars can neither be uploaded
         *     nor shown without the bucket.
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
         * Start a cleanup run
         * @description Works whether or not the schedule is paused. Without a body, applies every policy.
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
         * List cleanup runs, newest first
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
         * Get a cleanup run
         * @description Shows a run while it goes on, and what it did once it has ended.
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
         * Cancel a cleanup run
         * @description It ends after the batch that it is at, with a report of what was done. Nothing more is removed once this has answered,
         *     whether or not Temporal is there. Cancelling again changes nothing; a run that has ended is a 409.
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
         * List rooms that cleanup archived, latest first
         * @description Rooms that nobody used for long, which an admin can bring back until they are deleted.
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
         * @description Private and hidden ones too. Newest first.
         */
        get: operations["listAnyRooms"];
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
        get: operations["getAnyRoom"];
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
         * @description Hidden messages with their text. That an admin reads the messages of a private room is audited, once an hour for each admin and room.
         */
        get: operations["listAnyMessages"];
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
         * @description It is archived, and its host cannot open it again. Its host reads the reason in the room's log, where no admin is named. Closing it
         *     again changes nothing.
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
         * @description An open room stays as it is. A room whose host is gone is a 409 `room_without_host`.
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
         * @description Its text is gone; that there was a message stays. The room's log has the reason, and names no admin.
         */
        post: operations["removeMessage"];
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
         * @description Without the reporters, whom nobody is shown. A report goes 90 days (by default) after it was resolved.
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
         * @description Has what was reported as it was when it was reported.
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
         * @description One that is resolved already is a 409 `report_resolved`. Closing a room, deleting a message and suspending an account resolve a report as
         *     `acted` by themselves, if they name it in `report_id`.
         */
        post: operations["resolveAbuseReport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/rooms/{retired_id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restore a room that cleanup archived
         * @description An open room stays as it is. A room that its host archived, or whose host is gone, is a 409.
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
         * @description With the last ten and the next ten runs. A 503 while Temporal is away, as with everything about schedules.
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
         * @description It stays paused when workers start anew.
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
         * @description Runs that were due during the pause are not made up for.
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
         * @description Does nothing while a run of the schedule is in progress. Of two triggers in one second, Temporal takes one.
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
         * List activity and cleanup reports, newest first
         * @description Of each clean-up run, when it has ended; and of how the service was used, each week and each month, as the schedules
         *     `activity-report-weekly` and `activity-report-monthly` have them made. A backfill of those makes reports of former periods.
         */
        get: operations["listReports"];
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
         * @description An activity report with its figures, and those of the period before.
         */
        get: operations["getReport"];
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
        get: operations["getReportTable"];
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
         * @description For whoever has the link that is in the report's email, and its `page_url`.
         */
        post: operations["viewReport"];
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
         * @description Accounts, suspended ones among them. With `q` it is a search.
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
         * @description Has what admins see of an account, its suspension among it.
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
         * @description Ends all of its sign-ins and refuses new ones. With `hide_content`, what it made is hidden until it is reinstated: the rooms that it
         *     hosts are a 404 for everyone, and its messages look as if they were taken back. Without, its rooms are in no list, and each passes to
         *     another host as soon as somebody in it sends a heartbeat. Suspending it again is a success, and changes whether its content is hidden.
         *     Admins cannot suspend themselves (409 `cannot_suspend_oneself`), nor the last admin (409 `last_admin`).
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
         * @description Shows the content again that was hidden with the account, except what was deleted meanwhile.
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
         * Grant an account an admin's rights
         * @description An account whose address is not confirmed is a 409 `address_unconfirmed`, since anybody may have registered it. An admin stays
         *     an admin.
         */
        put: operations["grantAdmin"];
        post?: never;
        /**
         * Revoke an account's admin rights
         * @description Admins can revoke their own rights, too. The last admin's rights cannot be revoked (409 `last_admin`); admins who are suspended,
         *     or whose address is not confirmed, do not count. An account that is no admin stays as it is.
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
        get?: never;
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
    "/admin/emails": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List emails, newest first
         * @description Without addresses and without their text.
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
         * Get whether emails are paused
         * @description While emails are paused, none is sent. They are kept, and go out later.
         */
        get: operations["getEmailPause"];
        /**
         * Pause all emails
         * @description Workers stop within seconds; what they are sending at that moment they send to its end. Emails that wait lose no attempt. Pausing
         *     again is a success.
         */
        put: operations["pauseEmails"];
        post?: never;
        /**
         * Resume emails
         * @description Those that have become useless meanwhile, such as a link that has expired, are cancelled. Resuming again is a success.
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
         * @description Each kind of email with made-up content, as people receive it.
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
         * @description Has each attempt, and what the mail server answered.
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
         * @description Makes another email about the same, to the address that is right by now. Only of one that has ended; one that is of no use any more
         *     ends as `cancelled` again.
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
         * @description An attempt that is under way goes on; if it succeeds the email is `sent` after all. Cancelling again is a success.
         */
        post: operations["cancelEmail"];
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
         * @description What admins have done, when and to whom. Entries do not change.
         */
        get: operations["listAudit"];
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
         * @description In lower case in every answer. Requests may have it in upper case.
         */
        ID: string;
        Cursor: string;
        Username: string;
        /** Format: date-time */
        Time: string;
        /** @description Whether the answer came from the cache */
        Cached: boolean;
        /** @description Where the next page starts; null at the end */
        NextCursor: string | null;
        /**
         * @description What emails are written in
         * @enum {string}
         */
        Language: "en" | "de";
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
            email: string;
            password: components["schemas"]["NewPassword"];
            display_name?: string;
            language?: components["schemas"]["Language"];
        };
        /**
         * @example {
         *       "email": "alice@watchparty.test",
         *       "password": "watchparty-demo"
         *     }
         */
        LoginRequest: {
            email: string;
            password: components["schemas"]["Password"];
        };
        /**
         * @description 10 to 128 characters in the form of RFC 8265, OpaqueString: composed (NFC), with plain spaces, without control
         *     characters and characters that do not show. It must be neither the username nor the email address, nor what stands
         *     before its @, nor one of the 10,000 commonest passwords; case makes no difference to that. The codes of `errors` are
         *     `too_short`, `too_long`, `characters`, `name` and `common`.
         */
        NewPassword: string;
        Password: string;
        DeleteMeRequest: {
            password: components["schemas"]["Password"];
        };
        TokenRequest: {
            token: components["schemas"]["OneTimeToken"];
        };
        OneTimeToken: string;
        EmailRequest: {
            email: string;
        };
        ResetRequest: {
            token: components["schemas"]["OneTimeToken"];
            password: components["schemas"]["NewPassword"];
        };
        ChangePasswordRequest: {
            current_password: components["schemas"]["Password"];
            new_password: components["schemas"]["NewPassword"];
        };
        ChangeEmailRequest: {
            email: string;
            password: components["schemas"]["Password"];
        };
        RefreshRequest: {
            refresh_token: string;
        };
        SignedIn: {
            user: components["schemas"]["Account"];
            access_token: string;
            refresh_token: string;
            /** @description Seconds until the access token expires */
            expires_in: number;
        };
        /**
         * @description Absolute addresses of square pictures. Everyone has one: without an avatar of their own, it is generated, and an SVG
         *     picture, or PNG for `plain`. What an address leads to never changes; another avatar has other addresses, and the
         *     former ones work for a minute more.
         */
        AvatarURLs: {
            /** @description Whether it is the generated picture */
            default: boolean;
            /** @description 128×128 WebP */
            thumbnail: string;
            /** @description 512×512 WebP */
            medium: string;
            /** @description 1024×1024 WebP, or the medium one when the picture had fewer pixels */
            large: string;
            /** @description 512×512 JPEG or PNG, for clients without WebP. Of avatars from before there were such files: as `medium` */
            plain: string;
        };
        Profile: {
            id: components["schemas"]["ID"];
            username: components["schemas"]["Username"];
            display_name: string;
            avatar: components["schemas"]["AvatarURLs"];
            created_at: components["schemas"]["Time"];
        };
        Account: {
            id: components["schemas"]["ID"];
            username: components["schemas"]["Username"];
            email: string;
            email_verified: boolean;
            /** @description The address that takes its place once it is confirmed; in `GET /users/me` and the export, while there is one */
            pending_email?: string;
            display_name: string;
            language: components["schemas"]["Language"];
            is_admin: boolean;
            avatar: components["schemas"]["AvatarURLs"];
            created_at: components["schemas"]["Time"];
            updated_at: components["schemas"]["Time"];
        };
        UpdateMeRequest: {
            display_name?: string;
            language?: components["schemas"]["Language"];
        };
        Session: {
            id: components["schemas"]["ID"];
            /** @description What the client called itself */
            user_agent: string;
            signed_in_at: components["schemas"]["Time"];
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
            /** @description Whether it is the one that asks */
            current: boolean;
        };
        Export: {
            account: components["schemas"]["Account"];
            /** @description Whether the account's address wants no emails with invitations */
            invitations_refused: boolean;
            /** @description All sign-ins, those that have ended included */
            sessions: components["schemas"]["ExportedSession"][];
            /** @description Those that the account was asked to confirm */
            addresses: components["schemas"]["ExportedAddress"][];
            password_resets: components["schemas"]["ExportedReset"][];
            /** @description Those that the service sent to the account */
            emails: components["schemas"]["ExportedEmail"][];
            rooms: components["schemas"]["MyRoom"][];
            /** @description Roles that last */
            memberships: components["schemas"]["ExportedMembership"][];
            /** @description The rooms that the account is in */
            presence: components["schemas"]["ExportedPresence"][];
            /** @description Up to where the account has read rooms */
            read_markers: components["schemas"]["ExportedReadMarker"][];
            /** @description What the account has added to queues and was not played yet */
            queue_items: components["schemas"]["ExportedQueueItem"][];
            /** @description For which items of queues the account votes */
            queue_votes: components["schemas"]["ExportedQueueVote"][];
            /** @description When the account was seen in which room */
            stays: components["schemas"]["ExportedStay"][];
            /** @description Days of UTC on which the account was active */
            active_days: string[];
            /** @description All that the account said, the oldest first */
            messages: components["schemas"]["ExportedMessage"][];
            /** @description Those that the account sent */
            invitations: components["schemas"]["Invitation"][];
            accepted_invitations: components["schemas"]["AcceptedInvitation"][];
            /** @description Those to the account's confirmed address */
            received_invitations: components["schemas"]["ReceivedInvitation"][];
            /** @description Those that the account gave */
            bans: components["schemas"]["ExportedSanction"][];
            /** @description Those that the account gave */
            mutes: components["schemas"]["ExportedSanction"][];
            received_bans: components["schemas"]["ReceivedSanction"][];
            received_mutes: components["schemas"]["ReceivedSanction"][];
            /** @description What the account did in rooms by a role */
            acts: components["schemas"]["ExportedAct"][];
            /** @description What was done to the account in rooms */
            received_acts: components["schemas"]["ExportedAct"][];
            /** @description What the account did as an admin */
            admin_acts: components["schemas"]["ExportedAdminAct"][];
            /** @description What admins did to the account, such as a suspension */
            account_acts: components["schemas"]["ExportedAdminAct"][];
            /** @description Those that the account sent */
            abuse_reports: components["schemas"]["SentAbuseReport"][];
            avatars: components["schemas"]["AvatarVersion"][];
            exported_at: components["schemas"]["Time"];
        };
        ExportedSession: {
            id: components["schemas"]["ID"];
            /** @description What the client called itself */
            user_agent: string;
            signed_in_at: components["schemas"]["Time"];
            last_used_at: components["schemas"]["Time"];
            expires_at: components["schemas"]["Time"];
            /** Format: date-time */
            ended_at: string | null;
            /** @description Whether it is the one that asks */
            current: boolean;
        };
        ExportedAddress: {
            email: string;
            /** @description The address that it replaced */
            former: string | null;
            asked_at: components["schemas"]["Time"];
            /**
             * Format: date-time
             * @description When its link was used or made void
             */
            used_at: string | null;
            expires_at: components["schemas"]["Time"];
        };
        ExportedReset: {
            asked_at: components["schemas"]["Time"];
            /**
             * Format: date-time
             * @description When its link was used or made void
             */
            used_at: string | null;
            expires_at: components["schemas"]["Time"];
        };
        ExportedEmail: {
            kind: components["schemas"]["EmailKind"];
            state: components["schemas"]["EmailState"];
            attempts: number;
            /** @description Of the email server, when it refused */
            last_answer: string;
            created_at: components["schemas"]["Time"];
            /** Format: date-time */
            sent_at: string | null;
        };
        ExportedMembership: {
            room_id: components["schemas"]["ID"];
            role: components["schemas"]["Role"];
            since: components["schemas"]["Time"];
        };
        ExportedPresence: {
            room_id: components["schemas"]["ID"];
            joined_at: components["schemas"]["Time"];
            last_seen_at: components["schemas"]["Time"];
            /** Format: date-time */
            present_since: string | null;
        };
        ExportedReadMarker: {
            room_id: components["schemas"]["ID"];
            message_id: components["schemas"]["ID"];
            read_at: components["schemas"]["Time"];
        };
        ExportedQueueItem: {
            id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            /** Format: uuid */
            movie_id: string | null;
            /** @description Of an address */
            title: string;
            /** @description Of an address */
            stream_url: string;
            created_at: components["schemas"]["Time"];
        };
        ExportedQueueVote: {
            room_id: components["schemas"]["ID"];
            item_id: components["schemas"]["ID"];
            created_at: components["schemas"]["Time"];
        };
        ExportedStay: {
            room_id: components["schemas"]["ID"];
            started_at: components["schemas"]["Time"];
            ended_at: components["schemas"]["Time"];
        };
        ExportedAct: {
            room_id: components["schemas"]["ID"];
            /**
             * @description As in the room's log
             * @example kicked
             */
            action: string;
            /** @description To whom the account did it; null for what was done to nobody, or to the account */
            user_id: string | null;
            details: {
                [key: string]: unknown;
            };
            created_at: components["schemas"]["Time"];
        };
        ExportedAdminAct: {
            action: components["schemas"]["AuditAction"];
            target_kind: string;
            target_id: components["schemas"]["ID"];
            details: {
                [key: string]: unknown;
            };
            outcome: string;
            created_at: components["schemas"]["Time"];
        };
        ReceivedInvitation: {
            room_id: components["schemas"]["ID"];
            state: components["schemas"]["InvitationState"];
            created_at: components["schemas"]["Time"];
            expires_at: components["schemas"]["Time"];
            /** Format: date-time */
            answered_at: string | null;
        };
        ReceivedSanction: {
            room_id: components["schemas"]["ID"];
            reason: string;
            /** Format: date-time */
            until: string | null;
            created_at: components["schemas"]["Time"];
        };
        ExportedMessage: {
            id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            body: string;
            /** @description What it answers */
            reply_to_id: string | null;
            created_at: components["schemas"]["Time"];
            /** Format: date-time */
            edited_at: string | null;
            deleted: boolean;
        };
        AcceptedInvitation: {
            room_id: components["schemas"]["ID"];
            answered_at: components["schemas"]["Time"];
        };
        ExportedSanction: {
            room_id: components["schemas"]["ID"];
            user_id: components["schemas"]["ID"];
            reason: string;
            /** Format: date-time */
            until: string | null;
            created_at: components["schemas"]["Time"];
        };
        AvatarVersion: {
            version: number;
            /** @enum {string} */
            status: "processing" | "ready" | "failed" | "superseded";
            /** @description Why it failed */
            reason: string | null;
            /** Format: date-time */
            published_at: string | null;
            created_at: components["schemas"]["Time"];
        };
        AvatarUpload: {
            /** @enum {string} */
            status: "processing" | "ready" | "failed";
            /**
             * @description How far it is, while it is processed
             * @enum {string}
             */
            step?: "queued" | "rendering" | "publishing";
            /** @description Why it failed, and what to do */
            reason?: string;
            version: number;
            avatar: components["schemas"]["AvatarURLs"];
            created_at: components["schemas"]["Time"];
            updated_at: components["schemas"]["Time"];
        };
        Movie: {
            id: components["schemas"]["ID"];
            title: string;
            year: number;
            runtime_minutes: number;
            description: string;
            genres: string[];
            poster_url: string | null;
            stream_url: string | null;
            /**
             * Format: int64
             * @description Of the stream; null when nobody has measured it
             */
            duration_ms: number | null;
            subtitles: components["schemas"]["Subtitle"][];
            /** @description Not in the catalogue any more */
            archived: boolean;
            created_at: components["schemas"]["Time"];
            updated_at: components["schemas"]["Time"];
        };
        /** @description In lower case */
        Genre: string;
        GenreCount: {
            genre: components["schemas"]["Genre"];
            /** @description How many movies of the catalogue have it */
            movies: number;
        };
        /** @description Starts with https://; empty for none */
        WebAddress: string;
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
            title: string;
            year: number;
            runtime_minutes: number;
            description?: string;
            genres?: components["schemas"]["Genre"][];
            poster_url?: components["schemas"]["WebAddress"];
            stream_url?: components["schemas"]["WebAddress"];
            /**
             * Format: int64
             * @description Of the stream; 0 for unknown
             */
            duration_ms?: number;
            subtitles?: components["schemas"]["Subtitle"][];
        };
        UpdateMovieRequest: {
            title?: string;
            year?: number;
            runtime_minutes?: number;
            description?: string;
            genres?: components["schemas"]["Genre"][];
            poster_url?: components["schemas"]["WebAddress"];
            stream_url?: components["schemas"]["WebAddress"];
            /**
             * Format: int64
             * @description Of the stream; 0 for unknown
             */
            duration_ms?: number;
            subtitles?: components["schemas"]["Subtitle"][];
            archived?: boolean;
        };
        /**
         * @description public is listed; unlisted is open to whoever has the link; private is a 404 to whoever is not in it
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
            name: string;
            description?: string;
            movie_id?: components["schemas"]["ID"];
            visibility?: components["schemas"]["Visibility"];
            /**
             * @description Everyone in it, the host too
             * @default 50
             */
            capacity?: number;
        };
        /**
         * @example {
         *       "name": "Silent Monday",
         *       "slow_mode_seconds": 5
         *     }
         */
        UpdateRoomRequest: {
            name?: string;
            description?: string;
            /**
             * Format: uuid
             * @description null for none
             */
            movie_id?: string | null;
            visibility?: components["schemas"]["Visibility"];
            /** @description Nobody is put out when it sinks below how many are there */
            capacity?: number;
            slow_mode_seconds?: number;
            control?: components["schemas"]["Circle"];
            queue?: components["schemas"]["Circle"];
            queue_order?: components["schemas"]["QueueOrder"];
            wait_policy?: components["schemas"]["WaitPolicy"];
            state?: components["schemas"]["RoomState"];
        };
        /**
         * @description People with that role, and those above them
         * @enum {string}
         */
        Circle: "host" | "moderators" | "everyone";
        /**
         * @description Whether a queue is played as people have put it, or what has the most votes first
         * @enum {string}
         */
        QueueOrder: "manual" | "votes";
        /**
         * @description Whom playback waits for; auto is everyone among up to 8 people, and nobody among more
         * @enum {string}
         */
        WaitPolicy: "auto" | "everyone" | "host" | "nobody";
        /** @enum {string} */
        PlaybackStatus: "idle" | "waiting" | "playing" | "paused";
        Playback: {
            /**
             * Format: int64
             * @description Rises by one with each change
             */
            revision: number;
            /**
             * Format: int64
             * @description Rises when another item is loaded, or the same one anew
             */
            epoch: number;
            /**
             * Format: int64
             * @description Rises with each load and seek: what players report to be ready for
             */
            cue: number;
            state: components["schemas"]["PlaybackStatus"];
            /** @description null when idle */
            item: components["schemas"]["PlaybackItem"] | null;
            /**
             * Format: int64
             * @description Where playback is at `at`
             */
            position_ms: number;
            /**
             * Format: date-time
             * @description When it is at `position_ms`, to the microsecond. In the future it is about to start
             */
            at: string;
            rate: number;
            /** @description null unless waiting */
            wait: components["schemas"]["PlaybackWait"] | null;
            /**
             * Format: date-time
             * @description When the item is over; null unless it plays and has a duration
             */
            ends_at: string | null;
            /**
             * Format: date-time
             * @description When it starts by itself
             */
            starts_at: string | null;
            /** @description What made the state: a command, or `ready`, `deadline`, `rebuffer`, `ended`, `voted`, `removed`, `deserted`, `archived`, `scheduled`, `started`, `duration`, `clock`; empty before the first */
            cause: string;
            /** @description Whose command made the state; null for what happened by itself */
            by: components["schemas"]["Person"] | null;
            /** @description How many of those who are present vote to skip the item */
            skip_votes: number;
            /**
             * Format: int64
             * @description Counts the changes of the queue and of its votes
             */
            queue_version: number;
            /**
             * Format: date-time
             * @description When this was read
             */
            now: string;
        };
        PlaybackItem: {
            id: components["schemas"]["ID"];
            /**
             * Format: uuid
             * @description null for an address of the room's own
             */
            movie_id: string | null;
            title: string;
            stream_url: string;
            subtitles: components["schemas"]["Subtitle"][];
            /**
             * Format: int64
             * @description null when nobody knows it
             */
            duration_ms: number | null;
            /** @description Whether it was measured: else it is a minute more than the runtime of the catalogue */
            duration_exact: boolean;
        };
        PlaybackWait: {
            /** @enum {string} */
            for: "load" | "seek" | "rebuffer";
            /**
             * Format: date-time
             * @description When it ends at the latest
             */
            until: string;
            /** @description Whether playback goes on then */
            resume: boolean;
            /** @description Who is waited for */
            people: components["schemas"]["Person"][];
        };
        PlaybackAnswer: {
            data: components["schemas"]["Playback"];
        };
        /**
         * @example {
         *       "kind": "seek",
         *       "id": "01933b6e-aa10-7c64-8d2f-0d7a4fd0a1c2",
         *       "epoch": 7,
         *       "revision": 41,
         *       "position_ms": 90000
         *     }
         */
        PlaybackCommand: {
            /** @enum {string} */
            kind: "play" | "pause" | "seek" | "rate" | "load" | "skip" | "stop";
            id: components["schemas"]["ID"];
            /**
             * Format: int64
             * @description Of the state that the person saw
             */
            epoch: number;
            /**
             * Format: int64
             * @description Of the state that the person saw
             */
            revision?: number;
            /**
             * Format: int64
             * @description Any other revision is a 409 `playback_stale`
             */
            if_revision?: number;
            /**
             * Format: int64
             * @description For `seek`; for `load` where to begin, for `pause` where the person was
             */
            position_ms?: number;
            /** @description For `rate`, in hundredths */
            rate?: number;
            item_id?: components["schemas"]["ID"];
            movie_id?: components["schemas"]["ID"];
            stream_url?: components["schemas"]["WebAddress"];
            /** @description Of `stream_url`; without it the name of the file is shown */
            title?: string;
        };
        PlaybackCommandAnswer: {
            data: components["schemas"]["PlaybackCommandResult"];
        };
        PlaybackCommandResult: {
            /**
             * Format: int64
             * @description After the command was applied
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
             * @description Of the state that the person saw
             */
            epoch: number;
            skip: boolean;
        };
        /**
         * @example {
         *       "language": "en",
         *       "url": "https://films.example/nosferatu.en.vtt"
         *     }
         */
        Subtitle: {
            /** @description A BCP 47 tag, such as en or pt-BR */
            language: string;
            /** @description Of a WebVTT file; starts with https:// */
            url: string;
        };
        QueueItem: {
            id: components["schemas"]["ID"];
            /**
             * Format: uuid
             * @description null for an address of the room's own
             */
            movie_id: string | null;
            title: string;
            stream_url: string;
            /**
             * Format: int64
             * @description null when nobody has measured it
             */
            duration_ms: number | null;
            /** @description null when the account is gone */
            added_by: components["schemas"]["Person"] | null;
            /** @description Those of people who are in the room */
            votes: number;
            /** @description Whether the caller has voted for it */
            voted: boolean;
            created_at: components["schemas"]["Time"];
        };
        QueueAnswer: {
            data: components["schemas"]["Queue"];
        };
        Queue: {
            items: components["schemas"]["QueueItem"][];
            /**
             * Format: int64
             * @description See `queue_version` of the playback
             */
            version: number;
        };
        QueueItemAnswer: {
            data: components["schemas"]["QueueItem"];
        };
        /**
         * @description Either a movie or an address
         * @example {
         *       "stream_url": "https://films.example/nosferatu.webm",
         *       "title": "Nosferatu"
         *     }
         */
        AddToQueueRequest: {
            movie_id?: components["schemas"]["ID"];
            stream_url?: components["schemas"]["WebAddress"];
            /** @description Of `stream_url`; without it the name of the file is shown */
            title?: string;
        };
        /**
         * @description Without `before_id` the item moves to the end
         * @example {
         *       "before_id": "01933b6e-aa10-7c64-8d2f-0d7a4fd0a1c2"
         *     }
         */
        MoveInQueueRequest: {
            before_id?: components["schemas"]["ID"];
        };
        /** @enum {string} */
        RoomState: "open" | "archived";
        /** @enum {string} */
        Role: "host" | "moderator" | "viewer";
        Person: {
            id: components["schemas"]["ID"];
            username: components["schemas"]["Username"];
        };
        Room: {
            id: components["schemas"]["ID"];
            name: string;
            description: string;
            /** Format: uuid */
            movie_id: string | null;
            /** @description null when the account of an archived room's host is gone */
            host: components["schemas"]["Person"] | null;
            visibility: components["schemas"]["Visibility"];
            capacity: number;
            /** @description How many are in it now */
            participants: number;
            /** @description How long one waits between two messages; 0 without slow mode */
            slow_mode_seconds: number;
            control: components["schemas"]["Circle"];
            queue: components["schemas"]["Circle"];
            queue_order: components["schemas"]["QueueOrder"];
            wait_policy: components["schemas"]["WaitPolicy"];
            state: components["schemas"]["RoomState"];
            /** @description An admin closed it: it is archived, and its host cannot open it again */
            closed: boolean;
            created_at: components["schemas"]["Time"];
            updated_at: components["schemas"]["Time"];
        };
        MyRoom: {
            role: components["schemas"]["Role"];
            /** @description Whether the caller is in it now */
            joined: boolean;
            /**
             * @description How many messages of others came after the one that the caller marked as read; 100 stands for 100 and more. All count when
             *     none was marked. Messages that were taken back do not count.
             */
            unread: number;
            /**
             * Format: date-time
             * @description When the latest message was posted; null in an empty room
             */
            last_message_at: string | null;
            room: components["schemas"]["Room"];
        };
        Standing: {
            role: components["schemas"]["Role"];
            /** @description Whether the caller is in it now */
            joined: boolean;
            /** Format: date-time */
            muted_until: string | null;
            /** @description What the caller may do now: what the role allows, without `post_message`, `control_playback`, `edit_queue` and `add_to_queue` during a mute */
            permissions: components["schemas"]["Permission"][];
        };
        /** @enum {string} */
        Permission: "post_message" | "skip_slow_mode" | "delete_message" | "kick" | "mute" | "ban" | "invite" | "edit_room" | "delete_room" | "set_role" | "hand_over" | "read_log" | "control_playback" | "edit_queue" | "add_to_queue" | "vote";
        Participant: {
            id: components["schemas"]["ID"];
            username: components["schemas"]["Username"];
            display_name: string;
            role: components["schemas"]["Role"];
            /** @description Seen within the last 90 seconds */
            present: boolean;
            /** Format: date-time */
            muted_until: string | null;
            joined_at: components["schemas"]["Time"];
            last_seen_at: components["schemas"]["Time"];
        };
        SetRoleRequest: {
            role: components["schemas"]["Role"];
        };
        /** @description For those who moderate the room */
        Reason: string;
        BanRequest: {
            username: components["schemas"]["Username"];
            /**
             * Format: date-time
             * @description When it ends by itself; without it, it does not
             */
            until?: string;
            reason?: components["schemas"]["Reason"];
        };
        Ban: {
            user: components["schemas"]["Person"];
            /** @description null when the account is gone */
            banned_by: components["schemas"]["Person"] | null;
            reason: string;
            /** Format: date-time */
            until: string | null;
            created_at: components["schemas"]["Time"];
        };
        MuteRequest: {
            username: components["schemas"]["Username"];
            /** Format: date-time */
            until: string;
            reason?: components["schemas"]["Reason"];
        };
        Mute: {
            user: components["schemas"]["Person"];
            /** @description null when the account is gone */
            muted_by: components["schemas"]["Person"] | null;
            reason: string;
            /** Format: date-time */
            until: string;
            created_at: components["schemas"]["Time"];
        };
        RoomAct: {
            id: components["schemas"]["ID"];
            /** @enum {string} */
            action: "room_updated" | "room_archived" | "room_reopened" | "room_closed" | "role_set" | "host_handed_over" | "host_succeeded" | "kicked" | "banned" | "ban_lifted" | "muted" | "mute_lifted" | "message_deleted" | "invited" | "invitation_revoked" | "invitation_accepted" | "played" | "paused" | "sought" | "rate_set" | "loaded" | "skipped" | "stopped" | "queue_added" | "queue_removed" | "queue_moved";
            /** @description null when the account is gone, when nobody did it, and when an admin of the service did */
            actor: components["schemas"]["Person"] | null;
            /** @description null when the account is gone, and when it was not done to anyone */
            target: components["schemas"]["Person"] | null;
            details: {
                [key: string]: unknown;
            };
            created_at: components["schemas"]["Time"];
        };
        /** @enum {string} */
        InvitationState: "open" | "accepted" | "declined" | "revoked" | "expired";
        Invitation: {
            id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            /** @description Only whoever has invited it sees it */
            email: string | null;
            state: components["schemas"]["InvitationState"];
            /** @description How far the email with it has come; null when that is not kept any more */
            delivery: components["schemas"]["InvitationDelivery"] | null;
            /** @description null when the account is gone */
            inviter: components["schemas"]["Person"] | null;
            /** Format: date-time */
            expires_at: string;
            /** Format: date-time */
            answered_at: string | null;
            created_at: components["schemas"]["Time"];
        };
        InvitationDelivery: {
            /** @description `sent` also for an address that wants no invitations: those who invite it are not told. `failed`: no further attempt is made; the same address can be invited again */
            state: components["schemas"]["EmailState"];
            /** @description Why it was not sent; while it is still tried, why the last attempt did not succeed */
            reason: (string & components["schemas"]["EmailReason"]) | null;
        };
        InvitationPreview: {
            /** @description The address that was invited */
            email: string;
            room: components["schemas"]["InvitedRoom"];
            inviter: components["schemas"]["Person"];
            expires_at: components["schemas"]["Time"];
        };
        InvitedRoom: {
            id: components["schemas"]["ID"];
            name: string;
            description: string;
            /** @description How many people are in the room */
            participants: number;
        };
        MyInvitation: {
            id: components["schemas"]["ID"];
            room: components["schemas"]["InvitedRoom"];
            inviter: components["schemas"]["Person"];
            expires_at: components["schemas"]["Time"];
            created_at: components["schemas"]["Time"];
        };
        MyInvitationList: {
            data: components["schemas"]["MyInvitation"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        InvitationPreviewAnswer: {
            data: components["schemas"]["InvitationPreview"];
        };
        MarkReadRequest: {
            message_id: components["schemas"]["ID"];
        };
        /**
         * @example {
         *       "room_id": "01890000-0000-7000-8000-000000000000",
         *       "body": "Shall we begin?"
         *     }
         */
        PostMessageRequest: {
            room_id: components["schemas"]["ID"];
            /** @description Plain text */
            body: string;
            reply_to_id?: components["schemas"]["ID"];
        };
        EditMessageRequest: {
            /** @description Plain text */
            body: string;
        };
        Quote: {
            id: components["schemas"]["ID"];
            /** @description null when the account is gone */
            author: components["schemas"]["Person"] | null;
            /** @description The first 140 characters; empty when the message is gone */
            excerpt: string;
        };
        Message: {
            id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            /** @description null when the account is gone */
            author: components["schemas"]["Person"] | null;
            /** @description Plain text as it was sent; escape it before showing it */
            body: string;
            /** @description What it answers */
            reply_to: components["schemas"]["Quote"] | null;
            created_at: components["schemas"]["Time"];
            /** Format: date-time */
            edited_at: string | null;
            /** @description Taken back, or hidden together with what else its author made; the body is empty then */
            deleted: boolean;
        };
        Health: {
            /** @enum {string} */
            status: "ok" | "degraded" | "down";
            /** @description `connected` or what is wrong */
            database: string;
            /** @description `connected` or what is wrong */
            redis: string;
            /** @description `connected` or what is wrong */
            temporal: string;
            /** @description Where the files of avatars are: `connected` or what is wrong */
            bucket: string;
        };
        /** @enum {string} */
        UserState: "active" | "suspended";
        AdminUser: {
            id: components["schemas"]["ID"];
            username: components["schemas"]["Username"];
            email: string;
            email_verified: boolean;
            display_name: string;
            is_admin: boolean;
            avatar: components["schemas"]["AvatarURLs"];
            state: components["schemas"]["UserState"];
            /** Format: date-time */
            suspended_at: string | null;
            /** @description Whether its rooms and messages are hidden */
            content_hidden: boolean;
            created_at: components["schemas"]["Time"];
            updated_at: components["schemas"]["Time"];
        };
        SuspendRequest: {
            /** @description For other admins, it is kept in the audit log */
            reason: string;
            /**
             * @description Hides the rooms that it hosts, and its messages
             * @default true
             */
            hide_content?: boolean;
            report_id?: components["schemas"]["ResolvedReportID"];
        };
        /**
         * Format: uuid
         * @description The report of abuse that this resolves, about the same; it is resolved together with the act, or neither happens
         */
        ResolvedReportID: string;
        /** @description For the room's host, in its log, and for other admins, in the audit log */
        ReasonForHost: string;
        CloseRoomRequest: {
            reason: components["schemas"]["ReasonForHost"];
            report_id?: components["schemas"]["ResolvedReportID"];
        };
        ReopenRoomRequest: {
            reason: components["schemas"]["ReasonForHost"];
        };
        RemoveMessageRequest: {
            reason: components["schemas"]["ReasonForHost"];
            report_id?: components["schemas"]["ResolvedReportID"];
        };
        AdminRoom: {
            room: components["schemas"]["Room"];
            /**
             * Format: date-time
             * @description When an admin closed it
             */
            closed_at: string | null;
            /** @description With what else its host made; everyone but admins gets a 404 */
            hidden: boolean;
        };
        AdminRoomAnswer: {
            data: components["schemas"]["AdminRoom"];
        };
        AdminRoomList: {
            data: components["schemas"]["AdminRoom"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        AdminMessage: {
            message: components["schemas"]["Message"];
            /** @description With what else its author made; to everyone but admins it looks taken back */
            hidden: boolean;
        };
        AdminMessageList: {
            data: components["schemas"]["AdminMessage"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /** @enum {string} */
        AbuseKind: "spam" | "harassment" | "hate" | "sexual" | "violence" | "illegal" | "other";
        /** @enum {string} */
        AbuseReportState: "open" | "resolved";
        /** @enum {string} */
        AbuseTargetKind: "room" | "message" | "user";
        /** @enum {string} */
        AbuseOutcome: "dismissed" | "acted";
        /**
         * @example {
         *       "kind": "spam",
         *       "message_id": "01890000-0000-7000-8000-000000000000",
         *       "text": "The same advertisement in every room"
         *     }
         */
        ReportAbuseRequest: {
            kind: components["schemas"]["AbuseKind"];
            room_id?: components["schemas"]["ID"];
            message_id?: components["schemas"]["ID"];
            username?: components["schemas"]["Username"];
            /** @description What the admins should know, for them alone */
            text?: string;
        };
        AbuseTarget: {
            kind: components["schemas"]["AbuseTargetKind"];
            id: components["schemas"]["ID"];
        };
        SentAbuseReport: {
            id: components["schemas"]["ID"];
            kind: components["schemas"]["AbuseKind"];
            target: components["schemas"]["AbuseTarget"];
            text: string;
            created_at: components["schemas"]["Time"];
        };
        SentAbuseReportAnswer: {
            data: components["schemas"]["SentAbuseReport"];
        };
        ReportedContent: {
            /** @description Of the message's author, the room's host, or the account itself */
            username: string;
            display_name: string;
            /** @description Of a room or a message */
            room_name: string;
            /** @description Of a room */
            room_description: string;
            /** @description Of a message */
            body: string;
        };
        AbuseReport: {
            id: components["schemas"]["ID"];
            kind: components["schemas"]["AbuseKind"];
            target: components["schemas"]["AbuseTarget"];
            /**
             * Format: uuid
             * @description The account that it concerns: the author, the host, or the account itself
             */
            user_id: string | null;
            /**
             * Format: uuid
             * @description The room, or that of the message
             */
            room_id: string | null;
            /** @description What the reporter wrote */
            text: string;
            /** @description What was reported, as it was then; null once the report is resolved and the account is deleted */
            content: components["schemas"]["ReportedContent"] | null;
            state: components["schemas"]["AbuseReportState"];
            /** @description null while it is open */
            outcome: (string & components["schemas"]["AbuseOutcome"]) | null;
            /** @description Of the admin who resolved it, who is in the audit log */
            note: string;
            /** Format: date-time */
            resolved_at: string | null;
            created_at: components["schemas"]["Time"];
        };
        AbuseReportAnswer: {
            data: components["schemas"]["AbuseReport"];
        };
        AbuseReportList: {
            data: components["schemas"]["AbuseReport"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        ResolveAbuseReportRequest: {
            outcome: components["schemas"]["AbuseOutcome"];
            /** @description For other admins */
            note?: string;
        };
        /** @enum {string} */
        EmailKind: "welcome" | "welcome_reminder" | "email_verification" | "password_reset" | "password_changed" | "email_changed" | "room_invitation" | "room_invitation_reminder" | "activity_report";
        /** @enum {string} */
        EmailState: "queued" | "sending" | "sent" | "failed" | "cancelled";
        /**
         * @description `address_rejected`: the mail server takes no email for this address. `message_rejected`: it refuses what is in the email.
         *     `server_unreachable`: it could not be reached, refused this service, or did not take the email in time. `unconfirmed`: it may
         *     have the email, and did not say so. `expired`: no attempt was made in time. `cancelled`: by an admin, or there was nobody to send it to, or nothing to
         *     say. `opted_out`: the address wants no invitations; only admins see this.
         * @enum {string}
         */
        EmailReason: "address_rejected" | "mailbox_full" | "message_rejected" | "server_unreachable" | "unconfirmed" | "expired" | "cancelled" | "opted_out";
        Email: {
            id: components["schemas"]["ID"];
            kind: components["schemas"]["EmailKind"];
            /** @description What it is about: a user, a verification, a reset, an invitation, or a report to somebody */
            subject_id: components["schemas"]["ID"];
            /** Format: uuid */
            user_id: string | null;
            state: components["schemas"]["EmailState"];
            /** @description Why it was not sent */
            reason: (string & components["schemas"]["EmailReason"]) | null;
            attempts: number;
            /** @description The mail server's, without addresses; empty once the email is sent */
            last_answer: string;
            /** @description null unless it waits */
            waits_for: (string & components["schemas"]["EmailWait"]) | null;
            /**
             * Format: date-time
             * @description When it is tried next; null unless it waits
             */
            waits_until: string | null;
            /**
             * Format: uuid
             * @description The email that was sent again by this one
             */
            resend_of: string | null;
            workflow_id: string;
            temporal_url: string;
            created_at: components["schemas"]["Time"];
            updated_at: components["schemas"]["Time"];
            /** Format: date-time */
            sent_at: string | null;
            /** @description All attempts to send it, the first one first; only where one email is answered */
            history?: components["schemas"]["EmailAttempt"][];
        };
        /**
         * @description `recipient_limit`: the recipient has had as many emails as one address gets within an hour, or a day. The email goes out by itself
         *     when there may be more.
         * @enum {string}
         */
        EmailWait: "recipient_limit";
        EmailAttempt: {
            number: number;
            /**
             * @description `open`: it lasts, or its process ended in the middle within the last hour; after that it is `lost`. `temporary`, `later`, `unreachable`: to be tried again. `ambiguous`: the
             *     server may have the email, and did not say so. `permanent`: refused for good. `cancelled`: there was nobody to send it to, or
             *     nothing to say.
             * @enum {string}
             */
            outcome: "open" | "sent" | "temporary" | "later" | "unreachable" | "ambiguous" | "permanent" | "cancelled" | "lost";
            /** @description The mail server's, without addresses */
            answer: string;
            started_at: components["schemas"]["Time"];
            /** Format: date-time */
            ended_at: string | null;
        };
        EmailPause: {
            /**
             * Format: date-time
             * @description null while emails are sent
             */
            paused_at: string | null;
            /** @description Emails that are still to be sent, paused or not */
            waiting: number;
        };
        /** @enum {string} */
        AuditAction: "user_suspended" | "user_reinstated" | "user_sessions_ended" | "admin_granted" | "admin_revoked" | "movie_created" | "movie_updated" | "movie_deleted" | "cleanup_started" | "cleanup_cancelled" | "room_restored" | "room_closed" | "room_reopened" | "private_room_read" | "message_removed" | "abuse_report_resolved" | "schedule_paused" | "schedule_resumed" | "schedule_triggered" | "schedule_backfilled" | "email_resent" | "email_cancelled" | "emails_paused" | "emails_resumed";
        AuditEntry: {
            id: components["schemas"]["ID"];
            /** @description By the name at the time, which outlasts the account; null for an operator's command */
            actor: components["schemas"]["Person"] | null;
            action: components["schemas"]["AuditAction"];
            /** @enum {string} */
            target_kind: "user" | "movie" | "cleanup_run" | "room" | "message" | "abuse_report" | "schedule" | "email" | "email_pause";
            target_id: components["schemas"]["ID"];
            details: {
                [key: string]: unknown;
            };
            /**
             * @description An act on the service's own data is `done` when it is listed. An act on a schedule is listed before it is carried out:
             *     `pending` for a minute at most, `failed` when it was refused, `unknown` when there was no answer or the process ended.
             * @enum {string}
             */
            outcome: "pending" | "done" | "failed" | "unknown";
            created_at: components["schemas"]["Time"];
        };
        /**
         * @description What a policy removes, by age; a setting says after how long, or that it is off.
         *     `inactive_participants`: who has not been seen. `old_messages`. `inactive_rooms`: archives rooms in which nothing happens;
         *     an admin or the host can open them again. `archived_rooms`: deletes for good what that has archived, and what hosts have
         *     deleted. `unverified_accounts`: never confirmed, and not used. `expired_tokens`, `ended_sessions`, `ended_invitations`,
         *     `idempotency_keys`. `resolved_reports`: of abuse, with what was reported. `old_mails`: what became of emails, with the attempts. `started_events`: of the outbox.
         *     `old_activity`: who was active on which day, and in which room when; the figures of days stay. `orphaned_files`: whose upload was never committed.
         * @enum {string}
         */
        Policy: "inactive_participants" | "old_messages" | "inactive_rooms" | "archived_rooms" | "unverified_accounts" | "expired_tokens" | "ended_sessions" | "ended_invitations" | "idempotency_keys" | "resolved_reports" | "old_mails" | "started_events" | "old_activity" | "orphaned_files";
        StartCleanupRequest: {
            /** @description All that are on unless said; one that is off is refused */
            policies?: components["schemas"]["Policy"][];
            /**
             * @description Count, name some, and remove nothing
             * @default false
             */
            dry_run?: boolean;
            /**
             * @description In place of the policies' own ages: seconds, minutes, hours or days; an hour at least
             * @example 90d
             */
            older_than?: string;
        };
        CleanupStarted: {
            run_id: components["schemas"]["ID"];
            status_url: string;
            temporal_url: string;
        };
        CleanupRun: {
            id: components["schemas"]["ID"];
            /** @enum {string} */
            trigger: "schedule" | "admin";
            /** Format: uuid */
            started_by: string | null;
            policies: components["schemas"]["Policy"][];
            dry_run: boolean;
            /** @description In place of the policies' own ages, such as 2160h0m0s */
            older_than: string | null;
            /** @enum {string} */
            state: "queued" | "running" | "completed" | "failed" | "cancelled";
            /** @description The one that is applied now */
            policy: (string & components["schemas"]["Policy"]) | null;
            /** @description Rows or files removed so far for each policy; archived for `inactive_rooms` */
            counts: {
                [key: string]: number;
            };
            /** @description At most ten IDs of what a dry run counted for each policy; of a participant, the room's and the user's */
            samples: {
                [key: string]: string[];
            };
            /** @description What stopped a policy */
            errors: {
                [key: string]: string;
            };
            created_at: components["schemas"]["Time"];
            /** Format: date-time */
            started_at: string | null;
            /**
             * Format: date-time
             * @description When it was told to stop
             */
            cancelled_at: string | null;
            /** Format: date-time */
            finished_at: string | null;
            temporal_url: string;
        };
        ScheduleNote: {
            /** @description Why; operators see it */
            note: string;
        };
        ScheduleBackfill: {
            start: components["schemas"]["Time"];
            /**
             * Format: date-time
             * @description 31 days after start at most, and not in the future
             */
            end: string;
        };
        ScheduledRun: {
            scheduled_at: components["schemas"]["Time"];
            started_at: components["schemas"]["Time"];
            workflow_id: string;
            run_id: string;
            temporal_url: string;
        };
        Schedule: {
            id: string;
            paused: boolean;
            note: string;
            /** @description Ten at most, the latest first */
            recent_runs: components["schemas"]["ScheduledRun"][];
            /** @description Ten at most; while it is paused, when it would */
            next_runs: components["schemas"]["Time"][];
        };
        ScheduleAnswer: {
            data: components["schemas"]["Schedule"];
        };
        ScheduleList: {
            data: components["schemas"]["Schedule"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        RetiredRoom: {
            id: components["schemas"]["ID"];
            name: string;
            host_username: string | null;
            retired_at: components["schemas"]["Time"];
            /**
             * Format: date-time
             * @description The first run after that deletes it; null while that policy is off
             */
            deleted_from: string | null;
        };
        RetiredRoomList: {
            data: components["schemas"]["RetiredRoom"][];
            next_cursor: string | null;
        };
        /** @enum {string} */
        ReportKind: "cleanup" | "activity";
        Report: {
            id: components["schemas"]["ID"];
            kind: components["schemas"]["ReportKind"];
            /** Format: uuid */
            run_id: string | null;
            period_start: components["schemas"]["Time"];
            period_end: components["schemas"]["Time"];
            /** @description Where people can look at an activity report; whoever has the address can */
            page_url: string | null;
            /** @description An ActivityReport, or for a clean-up what the run was and did */
            data: components["schemas"]["ActivityReport"] | components["schemas"]["CleanupReport"];
            created_at: components["schemas"]["Time"];
        };
        CleanupReport: {
            /** @enum {string} */
            trigger: "schedule" | "admin";
            dry_run: boolean;
            policies: components["schemas"]["Policy"][];
            /** @enum {string} */
            state: "completed" | "failed" | "cancelled";
            counts: {
                [key: string]: number;
            };
            errors: {
                [key: string]: string;
            } | null;
            samples: {
                [key: string]: string[];
            };
            /**
             * Format: int64
             * @description 0 for the policies' own ages
             */
            older_than_s: number;
        };
        /**
         * @description Days are those of UTC. What happened is counted when a day is over, and stays counted when it is removed after that. Accounts
         *     that are gone by then are not.
         */
        ActivityReport: {
            /** @enum {string} */
            every: "week" | "month";
            /** Format: date */
            from: string;
            /**
             * Format: date
             * @description The last day
             */
            to: string;
            /**
             * Format: date
             * @description The first day that was counted, when the period began before it; null when the whole period was
             */
            counted_since: string | null;
            /** @description Of the days that were counted; null when none was */
            figures: components["schemas"]["ActivityFigures"] | null;
            /** @description Of the period before; null when not everything is known of it then */
            previous: components["schemas"]["ActivityFigures"] | null;
            /** @description `removed` by policy; null as `figures` is */
            removed_by: {
                [key: string]: number;
            } | null;
            /** @description Every one, also those with nothing */
            days: {
                /** Format: date */
                day: string;
                /** @description null for a day before counting began */
                figures: components["schemas"]["ActivityFigures"] | null;
            }[];
        };
        ActivityFigures: {
            /** Format: int64 */
            new_users: number;
            /**
             * Format: int64
             * @description Who were in a room or wrote a message; in a period each counts once
             */
            active_users: number;
            /**
             * Format: int64
             * @description Active ones whose account is older than the day, or the period
             */
            returning_users: number;
            /** Format: int64 */
            rooms_opened: number;
            /**
             * Format: int64
             * @description People in rooms, each once for each room and day
             */
            participants: number;
            /**
             * Format: int64
             * @description Of each person while somebody else was present in the room with them, added up
             */
            minutes_together: number;
            /** Format: int64 */
            messages: number;
            /** Format: int64 */
            invitations_sent: number;
            /** Format: int64 */
            invitations_accepted: number;
            /** Format: int64 */
            emails_sent: number;
            /** Format: int64 */
            emails_failed: number;
            /**
             * Format: int64
             * @description That were published
             */
            avatars: number;
            /**
             * Format: int64
             * @description Rows and files that clean-up removed; rooms that it archived
             */
            removed: number;
        };
        ReportViewAnswer: {
            data: {
                /** @description A `main` element, for a page with this service's /assets/report.css */
                html: string;
                /** @description The table of days, RFC 4180 */
                csv: string;
                /** @example activity-2026-02-23.csv */
                filename: string;
            };
        };
        Problem: {
            /**
             * Format: uri
             * @description The address of a page that explains the code:
             */
            type: string;
            title: string;
            status: number;
            detail?: string;
            code: components["schemas"]["ProblemCode"];
            /** @description Quote it when asking for help */
            request_id?: string;
            /** @description The first 20 that were found */
            errors?: components["schemas"]["FieldProblem"][];
            /** @description Figures that belong to the code, such as `rooms` of `movie_in_use` */
            details?: {
                [key: string]: number;
            };
        };
        /**
         * @description Stable, for programs. There may be others in time; the status says what kind of problem it is.
         * @enum {string}
         */
        ProblemCode: "account_suspended" | "address_unconfirmed" | "avatar_empty" | "avatar_too_large" | "avatar_too_many_pixels" | "avatar_unreadable" | "avatar_unsupported_format" | "bad_credentials" | "bad_refresh_token" | "bad_token" | "banned" | "body_too_large" | "busy" | "cannot_report_oneself" | "cannot_suspend_oneself" | "command_id_reused" | "edit_window_over" | "email_ended" | "email_not_ended" | "email_taken" | "email_unconfirmed" | "forbidden" | "idempotency_key_reused" | "internal" | "invalid_request" | "last_admin" | "method_not_allowed" | "movie_exists" | "movie_in_use" | "movie_without_stream" | "muted" | "not_found" | "not_participant" | "not_ready" | "nothing_playing" | "nothing_to_play" | "origin_not_allowed" | "own_role" | "playback_busy" | "playback_stale" | "precondition_failed" | "queue_full" | "queue_full_of_yours" | "range_not_satisfiable" | "rate_limited" | "report_resolved" | "request_timeout" | "room_archived" | "room_closed" | "room_full" | "room_not_retired" | "room_without_host" | "run_ended" | "slow_mode" | "too_many_invitations" | "too_many_reports" | "unauthenticated" | "unavailable" | "unknown_item" | "unknown_message" | "unknown_movie" | "unsupported_content_encoding" | "unsupported_media_type" | "upgrade_required" | "username_taken" | "wrong_password";
        FieldProblem: {
            /** @description Dotted path in the body, or the parameter's name; what is longer is cut */
            field: string;
            /**
             * @description Stable, for programs: `required`, `type`, `enum`, `pattern`, `format`, `range`, `too_short`, `too_long`, `too_many`,
             *     `minItems`, `maxItems`, `uniqueItems`, `minProperties`, `nullable`, `unknown`, `malformed`, `blank`,
             *     `control_character`, `line_break`, `bidi_control`, `invisible_character`, `combining_mark`, `encoding`, `duplicate`,
             *     `characters`, `name`, `common`, `email`, `address`, `reserved`, `taken`, `past`, `too_late`, `wrong`, `conflict`, or another.
             */
            code: string;
            message: string;
        };
        SignedInAnswer: {
            data: components["schemas"]["SignedIn"];
        };
        ExportAnswer: {
            data: components["schemas"]["Export"];
        };
        HealthAnswer: {
            data: components["schemas"]["Health"];
        };
        CleanupStartedAnswer: {
            data: components["schemas"]["CleanupStarted"];
        };
        CachedMovieAnswer: {
            _cached: components["schemas"]["Cached"];
            data: components["schemas"]["Movie"];
        };
        CachedRoomAnswer: {
            _cached: components["schemas"]["Cached"];
            data: components["schemas"]["Room"];
        };
        AccountAnswer: {
            data: components["schemas"]["Account"];
        };
        ProfileAnswer: {
            _cached: components["schemas"]["Cached"];
            data: components["schemas"]["Profile"];
        };
        ProfileList: {
            data: components["schemas"]["Profile"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        AvatarAnswer: {
            data: components["schemas"]["AvatarUpload"];
        };
        MovieAnswer: {
            data: components["schemas"]["Movie"];
        };
        MovieList: {
            _cached: components["schemas"]["Cached"];
            data: components["schemas"]["Movie"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        GenreList: {
            _cached: components["schemas"]["Cached"];
            data: components["schemas"]["GenreCount"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        RoomAnswer: {
            data: components["schemas"]["Room"];
        };
        RoomList: {
            _cached: components["schemas"]["Cached"];
            data: components["schemas"]["Room"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        ParticipantList: {
            data: components["schemas"]["Participant"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        MessageAnswer: {
            data: components["schemas"]["Message"];
        };
        MessageList: {
            _cached: components["schemas"]["Cached"];
            data: components["schemas"]["Message"][];
            /** @description Where the next page in the same direction starts; null at the end */
            next_cursor: string | null;
            /** @description What to send as `after` for what was said since; null in an empty room and with `updated_after` */
            newer_cursor: string | null;
            /** @description What to send as `updated_after` for what was edited or taken back since; null with `before` and `after` */
            updates_cursor: string | null;
        };
        CleanupRunAnswer: {
            data: components["schemas"]["CleanupRun"];
        };
        CleanupRunList: {
            data: components["schemas"]["CleanupRun"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        ReportAnswer: {
            data: components["schemas"]["Report"];
        };
        ReportList: {
            data: components["schemas"]["Report"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        SessionList: {
            data: components["schemas"]["Session"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        MyRoomList: {
            data: components["schemas"]["MyRoom"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        StandingAnswer: {
            data: components["schemas"]["Standing"];
        };
        ParticipantAnswer: {
            data: components["schemas"]["Participant"];
        };
        BanAnswer: {
            data: components["schemas"]["Ban"];
        };
        BanList: {
            data: components["schemas"]["Ban"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        MuteAnswer: {
            data: components["schemas"]["Mute"];
        };
        MuteList: {
            data: components["schemas"]["Mute"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        RoomActList: {
            data: components["schemas"]["RoomAct"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        InvitationAnswer: {
            data: components["schemas"]["Invitation"];
        };
        InvitationList: {
            data: components["schemas"]["Invitation"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        AdminUserAnswer: {
            data: components["schemas"]["AdminUser"];
        };
        AdminUserList: {
            data: components["schemas"]["AdminUser"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        EmailPreview: {
            kind: components["schemas"]["EmailKind"];
            subject: string;
            html: string;
            text: string;
        };
        EmailPreviewList: {
            data: components["schemas"]["EmailPreview"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        EmailList: {
            data: components["schemas"]["Email"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        EmailAnswer: {
            data: components["schemas"]["Email"];
        };
        EmailPauseAnswer: {
            data: components["schemas"]["EmailPause"];
        };
        AuditList: {
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
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description Any other problem; a 5xx is `internal`, `unavailable`, `busy` or `not_ready` */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description The schedule */
        ScheduleID: string;
        /** @description The item of the queue */
        ItemID: components["schemas"]["ID"];
        /** @description The room */
        RoomID: components["schemas"]["ID"];
        /** @description The `next_cursor` of the page before: of the same list, with the same filters */
        Cursor: components["schemas"]["Cursor"];
        /** @description How many there are in a page at most */
        Limit: number;
        /** @description The username, in any case */
        Username: components["schemas"]["Username"];
        /**
         * @description What to find, however it is written: case, accents and marks do not count, and `face off`, `faceoff` and `Face/Off` are
         *     the same. Words may come in any order, the last one by its beginning; in scripts without spaces any part of a
         *     text will do. The closest come first. When nothing is found, one letter of each word of four or more may be wrong.
         *     Marks are words where a text has nothing else, such as `$` or `🍿`. A cursor belongs to the search that gave it.
         */
        Search: string;
        /**
         * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
         *     hours answers with what the first one made; with another body it is a 422.
         */
        IdempotencyKey: string;
        /**
         * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match. For a room, only its
         *     version is compared: people who come and go do not change it in this sense.
         */
        IfMatch: string;
        /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
        IfNoneMatch: string;
        /** @description The bytes that are wanted, such as `bytes=0-99`. Another unit, and more than one range, are ignored: the answer is the whole. */
        Range: string;
        /** @description The ETag of which `Range` is a part. If it is no longer right, the answer is the whole. */
        IfRange: string;
    };
    requestBodies: never;
    headers: {
        /** @description Whether the answer came from the cache */
        "X-Cache": "HIT" | "MISS";
        /** @description The entity tag of what a GET of the resource would answer */
        ETag: string;
        /** @description Seconds to wait before the next request */
        "Retry-After": number;
        /** @description Which bytes of how many */
        "Content-Range": string;
        /** @description The address of what was made */
        Location: string;
        /** @description `true` when an earlier request with the same `Idempotency-Key` made it; absent otherwise */
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
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
            /** @description Accepted; what it answers does not depend on whether the account exists */
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
            /** @description A JSON document, made to be kept as a file */
            200: {
                headers: {
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
            /** @description An email is on its way to the new address, if nobody has it; the change happens when its link is confirmed */
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
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
                /** @description How many there are in a page at most */
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
                /** @description How many there are in a page at most */
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
    listMyInvitations: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many there are in a page at most */
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
                    /** Format: binary */
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
            /** @description `avatar_too_large`, `body_too_large` */
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
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match. For a room, only its
                 *     version is compared: people who come and go do not change it in this sense.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
                /** @description The bytes that are wanted, such as `bytes=0-99`. Another unit, and more than one range, are ignored: the answer is the whole. */
                Range?: components["parameters"]["Range"];
                /** @description The ETag of which `Range` is a part. If it is no longer right, the answer is the whole. */
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
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match. For a room, only its
                 *     version is compared: people who come and go do not change it in this sense.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
                /** @description The bytes that are wanted, such as `bytes=0-99`. Another unit, and more than one range, are ignored: the answer is the whole. */
                Range?: components["parameters"]["Range"];
                /** @description The ETag of which `Range` is a part. If it is no longer right, the answer is the whole. */
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
                 * @description What to find, however it is written: case, accents and marks do not count, and `face off`, `faceoff` and `Face/Off` are
                 *     the same. Words may come in any order, the last one by its beginning; in scripts without spaces any part of a
                 *     text will do. The closest come first. When nothing is found, one letter of each word of four or more may be wrong.
                 *     Marks are words where a text has nothing else, such as `$` or `🍿`. A cursor belongs to the search that gave it.
                 */
                q?: components["parameters"]["Search"];
                /** @description The IDs of at most 100 movies, separated by commas: `?ids=0190…,0191…` */
                ids?: string;
                /** @description However it is written: `Sci-Fi`, `sci fi` and `scifi` are one genre */
                genre?: components["schemas"]["Genre"];
                /** @description The first year of release */
                year_from?: number;
                /** @description The last year of release */
                year_to?: number;
                /** @description Minutes */
                runtime_max?: number;
                /** @description The movies that are not in it any more. For admins. */
                archived?: boolean;
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many there are in a page at most */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Movies in the order in which they were added, or the closest first with `q` */
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
            query?: never;
            header?: {
                /**
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match. For a room, only its
                 *     version is compared: people who come and go do not change it in this sense.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
            query?: never;
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match. For a room, only its
                 *     version is compared: people who come and go do not change it in this sense.
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
            query?: never;
            header?: {
                /**
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match. For a room, only its
                 *     version is compared: people who come and go do not change it in this sense.
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
                 * @description What to find, however it is written: case, accents and marks do not count, and `face off`, `faceoff` and `Face/Off` are
                 *     the same. Words may come in any order, the last one by its beginning; in scripts without spaces any part of a
                 *     text will do. The closest come first. When nothing is found, one letter of each word of four or more may be wrong.
                 *     Marks are words where a text has nothing else, such as `$` or `🍿`. A cursor belongs to the search that gave it.
                 */
                q?: components["parameters"]["Search"];
                /** @description Only rooms with this movie */
                movie_id?: components["schemas"]["ID"];
                /** @description Only those that have a place left */
                available?: boolean;
                /**
                 * @description The order, `newest` first unless another is given; not with `q`. `active` has the rooms of the latest activity first: people
                 *     who join, and messages. Activity is counted in steps of 10 minutes, and a page may be a minute old. A room that becomes active
                 *     while a client reads page by page moves to the top; no room comes twice. `people` has the rooms with the most people present first, and leaves out those in
                 *     which nobody is present. Their number may be a minute old; when it changes while a client reads page by page, a room may
                 *     come twice or be left out.
                 */
                sort?: "newest" | "active" | "people";
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many there are in a page at most */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Rooms, in the order that `sort` names, or the closest first with `q` */
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
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match. For a room, only its
                 *     version is compared: people who come and go do not change it in this sense.
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match. For a room, only its
                 *     version is compared: people who come and go do not change it in this sense.
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
                 * @description ETags that the caller has, or `*`. If the thing was changed since, the answer is a 412. Weak tags never match. For a room, only its
                 *     version is compared: people who come and go do not change it in this sense.
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
    heartbeat: {
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
            /** @description `own_role` */
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
    kick: {
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
    setRole: {
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
                /** @description How many there are in a page at most */
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
    ban: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
                /** @description How many there are in a page at most */
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
    mute: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
                /** @description How many there are in a page at most */
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
            /** @description `movie_without_stream`, `nothing_playing`, `nothing_to_play`, `playback_stale`, `room_archived` */
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
            /** @description `nothing_playing`, `playback_stale`, `room_archived` */
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
    getQueue: {
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
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
            /** @description `banned`, `forbidden`, `not_participant` */
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
            /** @description `movie_without_stream`, `queue_full`, `queue_full_of_yours`, `room_archived` */
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
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
            /** @description `room_archived` */
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
            /** @description `banned`, `forbidden`, `not_participant` */
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
            /** @description `room_archived` */
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
            /** @description It counts */
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
            /** @description `room_archived` */
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
    unvoteForItem: {
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
            /** @description It does not count */
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
            /** @description `room_archived` */
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
    listInvitations: {
        parameters: {
            query?: {
                /** @description Only those in this state */
                state?: components["schemas"]["InvitationState"];
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many there are in a page at most */
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
    invite: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
            /** @description `room_archived`, `room_closed`, `too_many_invitations` */
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
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
            403: components["responses"]["Forbidden"];
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
            /** @description `room_archived`, `room_full` */
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
                /** @description Older ones than this cursor */
                before?: components["schemas"]["Cursor"];
                /** @description Newer ones than this cursor, the oldest first. It does not bring what was edited or taken back since: see `updated_after` */
                after?: components["schemas"]["Cursor"];
                /**
                 * @description An `updates_cursor`: the messages that were edited or taken back since, each once as it is now, the oldest change first. The
                 *     first page of the room (without `before`, `after` and `updated_after`) has the cursor to begin with; each page of updates has
                 *     the next one. A client that always goes on from there misses no change, and may see one again. What is hidden or shown
                 *     because an admin suspended or reinstated its author is not among the changes.
                 */
                updated_after?: components["schemas"]["Cursor"];
                /** @description How many there are in a page at most */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
            /** @description `banned`, `edit_window_over`, `forbidden`, `not_participant` */
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
            /** @description `room_archived` */
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
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Problem"];
        };
    };
    getSentAbuseReport: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
            /** @description The database is away */
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
            query?: never;
            header?: {
                /**
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
                /** @description How many there are in a page at most */
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
                /** @description How many there are in a page at most */
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
    listAnyRooms: {
        parameters: {
            query?: {
                /**
                 * @description What to find, however it is written: case, accents and marks do not count, and `face off`, `faceoff` and `Face/Off` are
                 *     the same. Words may come in any order, the last one by its beginning; in scripts without spaces any part of a
                 *     text will do. The closest come first. When nothing is found, one letter of each word of four or more may be wrong.
                 *     Marks are words where a text has nothing else, such as `$` or `🍿`. A cursor belongs to the search that gave it.
                 */
                q?: components["parameters"]["Search"];
                /** @description Only rooms of this host */
                host_id?: components["schemas"]["ID"];
                /** @description `closed` are those that an admin closed, `archived` those and the other archived ones */
                state?: "open" | "archived" | "closed";
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many there are in a page at most */
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
    getAnyRoom: {
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
    listAnyMessages: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many there are in a page at most */
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
    removeMessage: {
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
                /** @description How many there are in a page at most */
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
            query?: never;
            header?: never;
            path: {
                /** @description The archived room */
                retired_id: components["schemas"]["ID"];
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
            /** @description `room_not_retired` */
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
            query?: never;
            header?: never;
            path: {
                /** @description The schedule */
                schedule_id: components["parameters"]["ScheduleID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleNote"];
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
    resumeSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The schedule */
                schedule_id: components["parameters"]["ScheduleID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleNote"];
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
    triggerSchedule: {
        parameters: {
            query?: never;
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
            query?: never;
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
    listReports: {
        parameters: {
            query?: {
                /** @description Only those of this kind */
                kind?: components["schemas"]["ReportKind"];
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many there are in a page at most */
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
    getReport: {
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
    getReportTable: {
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
                    "Content-Disposition"?: string;
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
    viewReport: {
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
                /** @description Words of the username and the display name, found as rooms and movies are, or how the email address begins */
                q?: string;
                /** @description Only those in this state */
                state?: components["schemas"]["UserState"];
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many there are in a page at most */
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
    grantAdmin: {
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
            /** @description `address_unconfirmed` */
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
                /** @description How many there are in a page at most */
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
    endUserSessions: {
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
                /** @description Only those to this account */
                user_id?: components["schemas"]["ID"];
                /** @description The `next_cursor` of the page before: of the same list, with the same filters */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many there are in a page at most */
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
    resumeEmails: {
        parameters: {
            query?: never;
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
                /** @description ETags that the caller has, or `*`. If one of them is still right, the answer is a 304. */
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
            query?: never;
            header?: {
                /**
                 * @description Chosen by the client, new for each thing that it wants made. A request that is sent again with the same key within 24
                 *     hours answers with what the first one made; with another body it is a 422.
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
            query?: never;
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
    listAudit: {
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
                /** @description How many there are in a page at most */
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
