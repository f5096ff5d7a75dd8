// Generated from api/live.yaml by `npm run generate`: do not edit.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Format: uuid
         * @description A UUID. The server writes it in lower case, and takes upper case, too.
         */
        ID: string;
        /** @description A whole number that JavaScript can represent exactly */
        Count: number;
        /** @description Milliseconds from the beginning of the item */
        Position: number;
        /** @description Milliseconds since 1970-01-01 UTC by the clock of the database */
        RoomTime: number;
        /** @description The speed of playback; 1 is the normal speed. The server rounds it to 0.01. */
        Speed: number;
        Hello: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "hello";
            /** @description An access token, as the REST API takes it */
            token: string;
            /** @description The `connection` of the user's lost connection. If it is still open on the same server, it is closed with 4409. */
            resume?: components["schemas"]["ID"] | null;
        };
        Token: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "token";
            /** @description A new access token of the same sign-in */
            access_token: string;
        };
        Clock: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "clock";
            /** @description The time of the client's own monotonic clock in milliseconds, which may start at any value */
            c0: number;
        };
        Status: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "status";
            /** @description The epoch that the player has loaded */
            epoch: components["schemas"]["Count"];
            /** @description The cue that the player has followed */
            cue: components["schemas"]["Count"];
            /** @description The position of the player, in milliseconds from the beginning of the item */
            position_ms: components["schemas"]["Position"];
            /** @description The player has been without data for longer than 2 seconds */
            stalled: boolean;
            /** @description The browser does not let the player play without a gesture, or the item cannot be played */
            blocked: boolean;
            /** @description The player can be seen or heard */
            watching: boolean;
            /** @description Whether the person wants to be waited for */
            wait_for_me: boolean;
            /** @description The player has reached the end of the item */
            ended?: boolean | null;
            /** @description How many milliseconds the player is ahead of the room; negative if it is behind */
            drift_ms?: number | null;
            /** @description The shortest round trip of the latest samples of the clock, in milliseconds */
            rtt_ms?: number | null;
        };
        Ready: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "ready";
            /** @description The epoch that the player has loaded */
            epoch: components["schemas"]["Count"];
            /** @description The cue that the player is ready for. Any other than the state's is ignored. */
            cue: components["schemas"]["Count"];
            /** @description The length of the item according to the player, in milliseconds; see The end of an item */
            duration_ms?: number | null;
        };
        Play: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "play";
            id: components["schemas"]["CommandID"];
            epoch: components["schemas"]["SeenEpoch"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
        };
        Pause: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "pause";
            id: components["schemas"]["CommandID"];
            epoch: components["schemas"]["SeenEpoch"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
            /** @description Where the person's player was when they paused */
            position_ms?: components["schemas"]["Position"] | null;
        };
        Seek: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "seek";
            id: components["schemas"]["CommandID"];
            epoch: components["schemas"]["SeenEpoch"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
            /** @description The position to go to, in milliseconds from the beginning of the item */
            position_ms: components["schemas"]["Position"];
        };
        Rate: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "rate";
            id: components["schemas"]["CommandID"];
            epoch: components["schemas"]["SeenEpoch"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
            /** @description The speed to set; 1 is the normal speed. The server rounds it to 0.01. */
            rate: components["schemas"]["Speed"];
        };
        Load: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "load";
            id: components["schemas"]["CommandID"];
            epoch: components["schemas"]["SeenEpoch"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
            /** @description A movie of the catalogue that has a stream */
            movie_id?: components["schemas"]["ID"] | null;
            /** @description An item of the room's queue */
            item_id?: components["schemas"]["ID"] | null;
            /** @description The address of an MP4, WebM or HLS stream: https, in ASCII, without a user name. Only hosts and moderators may load one. */
            stream_url?: string | null;
            /**
             * @description The title of the stream at `stream_url`, in one line. White space at its edges counts for the limit, and is
             *     removed. Without a title, the name of the file is shown.
             */
            title?: string | null;
            /** @description Where to begin; at the beginning unless given */
            position_ms?: components["schemas"]["Position"] | null;
        };
        Skip: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "skip";
            id: components["schemas"]["CommandID"];
            epoch: components["schemas"]["SeenEpoch"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
        };
        Stop: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "stop";
            id: components["schemas"]["CommandID"];
            epoch: components["schemas"]["SeenEpoch"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
        };
        /** @description A UUID that the client makes for this command. A command that is sent again keeps its ID. */
        CommandID: components["schemas"]["ID"];
        /** @description The epoch of the state that the person saw. With any other epoch the command is refused. */
        SeenEpoch: components["schemas"]["Count"];
        /** @description The revision of the state that the person saw. With it, a command that arrives again is never applied again, however late: without it, the server remembers the last 32 commands of the room. */
        SeenRevision: components["schemas"]["Count"] | null;
        /** @description The only revision at which the command is applied. At any other one it is refused with `playback_stale`. */
        IfRevision: components["schemas"]["Count"] | null;
        Bye: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "bye";
        };
        Welcome: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "welcome";
            /** @description The ID of this connection, for `resume` */
            connection: components["schemas"]["ID"];
            /** @description The time when the server wrote this. It is no measurement of the clock. */
            now_ms: components["schemas"]["RoomTime"];
            /** @description When the access token of the connection expires */
            token_expires_ms: components["schemas"]["RoomTime"];
            /** @description The person's role and permissions in the room */
            place: components["schemas"]["Place"];
            /** @description The settings of the room */
            room: components["schemas"]["RoomSettings"];
            /** @description The playback of the room */
            state: components["schemas"]["State"];
            /** @description The version of the queue, and the votes to skip */
            queue: components["schemas"]["Queue"];
            /** @description The number of connected people, and the people for whom the room waits */
            members: components["schemas"]["Members"];
            /** @description Everyone who is in the room, in the order in which they joined */
            people: components["schemas"]["Member"][];
        };
        State: {
            /** @description Rises by one with each change, and with each command that is applied, even if it changes nothing else */
            revision: components["schemas"]["Count"];
            /** @description Rises when the item changes or starts anew */
            epoch: components["schemas"]["Count"];
            /** @description Rises with each load and seek */
            cue: components["schemas"]["Count"];
            /**
             * @description `idle`: nothing is loaded. `waiting`: playback rests until people are ready, at the longest until
             *     `wait.until_ms`. `playing`: the position moves on from `at_ms`. `paused`: playback rests.
             * @enum {string}
             */
            state: "idle" | "waiting" | "playing" | "paused";
            /**
             * Format: uuid
             * @description The ID of what is played; null while idle. An item that was loaded from the queue has the ID that it had
             *     there.
             */
            item: string | null;
            /** @description The stream of the item; null while idle */
            media: components["schemas"]["Media"] | null;
            /** @description The position at `at_ms`, in milliseconds from the beginning of the item */
            position_ms: components["schemas"]["Position"];
            /** @description When the item was or will be at `position_ms` */
            at_ms: components["schemas"]["RoomTime"];
            /** @description The speed of playback; 1 is the normal speed */
            rate: components["schemas"]["Speed"];
            /** @description The length of the item in milliseconds; null while it is not known */
            duration_ms: number | null;
            /**
             * @description When the item starts by itself, for a scheduled party; null unless it does. The state is `paused` then. A
             *     player that is ready begins at that instant by the room's clock: the state that follows has it as its
             *     `at_ms`, or is `waiting` if the room waits for somebody. Until that state comes, a player goes on for a
             *     minute at most.
             */
            starts_at_ms: components["schemas"]["RoomTime"] | null;
            /** @description The wait of the room; null unless the state is `waiting` */
            wait: components["schemas"]["Wait"] | null;
            /**
             * @description What changed the state: a command, or `ready` (everybody is), `deadline` (of a wait), `rebuffer` (somebody
             *     ran out of data), `ended` (the item is over), `voted` (to skip it), `removed` (from the queue), `deserted`
             *     (nobody was connected), `archived` (the room was), `scheduled`, `unscheduled` (it starts by itself, and no
             *     longer), `started` (as scheduled), `duration` (the length of the item was learnt), `clock` (the database's
             *     was set). Null in a room that has never played anything.
             * @enum {string|null}
             */
            cause: null | "play" | "pause" | "seek" | "rate" | "load" | "skip" | "stop" | "ready" | "deadline" | "rebuffer" | "ended" | "voted" | "removed" | "deserted" | "archived" | "scheduled" | "unscheduled" | "started" | "duration" | "clock";
            /** @description The person whose command changed the state; null if it changed by itself, and when the account is deleted */
            by: components["schemas"]["Person"] | null;
            /** @description The time when the server wrote this. It is no measurement of the clock. */
            now_ms: components["schemas"]["RoomTime"];
        };
        StateMessage: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "state";
        } & components["schemas"]["State"];
        Media: {
            /**
             * @description The title of the movie, or of the address; empty while the content of the person who added the address is
             *     hidden
             */
            title: string;
            /**
             * Format: uri
             * @description The address of the stream; null if the movie has lost it
             */
            stream_url: string | null;
            /**
             * Format: uuid
             * @description The movie in the catalogue; null for an address of the room's own
             */
            movie_id: string | null;
            /** @description Rises with each change of the movie in the catalogue; 0 for an address of the room's own */
            version: components["schemas"]["Count"];
            /** @description The subtitles of the movie, each language once; empty for an address */
            subtitles: components["schemas"]["Subtitles"][];
        };
        Subtitles: {
            /** @description A language tag (BCP 47), such as en or pt-BR */
            language: string;
            /**
             * Format: uri
             * @description The address of a WebVTT file; it starts with https://
             */
            url: string;
        };
        Wait: {
            /**
             * @description `load`: an item was loaded. `seek`: the room went to another position, or continues after a pause.
             *     `rebuffer`: the player of somebody ran out of data.
             * @enum {string}
             */
            reason: "load" | "seek" | "rebuffer";
            /** @description The time at which the wait ends at the latest */
            until_ms: components["schemas"]["RoomTime"];
            /** @description Whether the room plays after the wait; otherwise it is paused */
            then_play: boolean;
        };
        Ack: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "ack";
            /** @description The ID of the command */
            id: components["schemas"]["ID"];
            /** @description The revision that the command made */
            revision: components["schemas"]["Count"];
        };
        Error: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "error";
            /** @description The ID of the command; absent if the message had none, or one that is no UUID */
            id?: components["schemas"]["ID"];
            /**
             * @description For any message: `invalid_request` (properties are wrong), `unknown_message_type` (the server does not know
             *     a message of this name), `signed_in_already` (the connection has signed in). For a command, as in the REST
             *     API: `unauthenticated`, `banned`, `not_found`, `room_archived`, `room_closed`, `not_participant`,
             *     `forbidden`, `muted`, `unknown_movie`, `unknown_item`, `movie_without_stream`, `nothing_playing`,
             *     `nothing_to_play`, `playback_stale`, `command_id_reused`, `rate_limited`, `unavailable`, `internal`; and
             *     `superseded` (a later seek was applied instead).
             */
            code: string;
            /** @description A description of the error, for developers */
            message: string;
            /** @description The first 20 properties that are wrong */
            errors?: components["schemas"]["FieldError"][];
            /** @description The time after which the same message may be sent again, in milliseconds */
            retry_after_ms?: number;
            /** @description The room's state, with `playback_stale` */
            state?: components["schemas"]["State"];
        };
        FieldError: {
            /** @description The name of the property; `message` if the message as a whole is wrong */
            field: string;
            /** @description A code of a property, as in `FieldProblem` of the REST API */
            code: string;
            /** @description A description of what is wrong, for developers */
            message: string;
        };
        ClockReply: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "clock";
            /** @description The `c0` of the request, unchanged */
            c0: number;
            /** @description The time when the server read the request */
            s1: components["schemas"]["RoomTime"];
            /** @description When the server wrote the answer */
            s2: components["schemas"]["RoomTime"];
        };
        ClockChanged: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "clock_changed";
        };
        Members: {
            /** @description The number of people in the room who have an open live connection */
            connected: number;
            /** @description The people for whom the room waits, by username; at most 20 */
            waiting_for: components["schemas"]["Person"][];
            /** @description The number of people for whom the room waits */
            waiting: number;
        };
        MembersMessage: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "members";
        } & components["schemas"]["Members"];
        Member: {
            user: components["schemas"]["Person"];
            /** @description The role of the person in the room */
            role: components["schemas"]["Role"];
            /** @description Whether the person is muted */
            muted: boolean;
            /** @description Whether a live connection of this person is open */
            connected: boolean;
        };
        /**
         * @description `host`: runs the room. `moderator`: moderates people, messages and the queue. `viewer`: everyone else.
         * @enum {string}
         */
        Role: "host" | "moderator" | "viewer";
        /**
         * @description A permission in a room, as in the schema Permission of the REST API
         * @enum {string}
         */
        Permission: "post_message" | "skip_slow_mode" | "delete_message" | "kick" | "mute" | "ban" | "invite" | "edit_room" | "delete_room" | "set_role" | "hand_over" | "read_log" | "control_playback" | "edit_queue" | "add_to_queue" | "vote" | "schedule_party";
        People: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "people";
            /** @description The people who are new or have changed, with all properties */
            changed: components["schemas"]["Member"][];
            /** @description The IDs of the people who are not in the room any more */
            left: components["schemas"]["ID"][];
        };
        Place: {
            user: components["schemas"]["Person"];
            /** @description The role of the person in the room */
            role: components["schemas"]["Role"];
            /** @description The permissions that the person has in the room now, as in the REST API */
            permissions: components["schemas"]["Permission"][];
            /**
             * Format: date-time
             * @description When the mute of the person ends; null without a mute
             */
            muted_until: string | null;
        };
        PlaceMessage: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "place";
        } & components["schemas"]["Place"];
        RoomSettings: {
            /** @description The name of the room, in one line */
            name: string;
            /**
             * @description The people who can send commands. `host`: only the host. `moderators`: the host and the moderators.
             *     `everyone`: everyone in the room.
             * @enum {string}
             */
            control: "host" | "moderators" | "everyone";
            /**
             * @description The people who can add items to the queue, with the values of `control`
             * @enum {string}
             */
            queue: "host" | "moderators" | "everyone";
            /**
             * @description `manual`: in the order in which people arranged the items. `votes`: the item with the most votes first.
             * @enum {string}
             */
            queue_order: "manual" | "votes";
            /**
             * @description The people for whose players the room waits. `everyone`: all connected people. `host`: the host alone.
             *     `nobody`: no one. `auto`: everyone while at most 8 people are connected, otherwise nobody.
             * @enum {string}
             */
            wait_policy: "auto" | "everyone" | "host" | "nobody";
            /** @description How many seconds each person waits between two messages; 0 without slow mode */
            slow_mode_seconds: number;
            /**
             * @description When a party of the room was last scheduled, changed, started or cancelled, in milliseconds since 1970; null
             *     without any. REST has the parties (`GET /rooms/{room_id}/parties`).
             */
            parties_ms: number | null;
        };
        RoomMessage: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "room";
        } & components["schemas"]["RoomSettings"];
        Queue: {
            /** @description Rises with each change of the queue and of its votes, but not with one of a movie in it */
            version: components["schemas"]["Count"];
            /** @description The number of present people who have voted to skip the present item */
            skip_votes: number;
        };
        QueueMessage: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "queue";
        } & components["schemas"]["Queue"];
        MessageEvent: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "message";
            /** @description The message as it is now */
            message: components["schemas"]["ChatMessage"];
        };
        Hidden: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "hidden";
            /** @description The ID of the person whose content is hidden */
            user: components["schemas"]["ID"];
        };
        /** @description The schema Message of the REST API */
        ChatMessage: {
            /** @description The ID of the message */
            id: components["schemas"]["ID"];
            /** @description The room of the message */
            room_id: components["schemas"]["ID"];
            /** @description The author; null when the account is deleted */
            author: components["schemas"]["Person"] | null;
            /** @description Plain text as it was sent, empty when `deleted` is true; escape it before you show it */
            body: string;
            /** @description The message that it answers */
            reply_to: components["schemas"]["Quote"] | null;
            /**
             * Format: date-time
             * @description When the message was posted
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When the message was last edited; null if it never was
             */
            edited_at: string | null;
            /** @description Whether it is deleted or hidden; the body is empty then */
            deleted: boolean;
        };
        /** @description The schema Person of the REST API */
        Person: {
            /** @description The ID of the account */
            id: components["schemas"]["ID"];
            /** @description The name that is unique among accounts, whatever its case */
            username: string;
            /** @description The name that others see, in one line */
            display_name: string;
            /** @description The addresses of the person's pictures */
            avatar: components["schemas"]["AvatarURLs"];
        };
        /** @description The schema AvatarURLs of the REST API */
        AvatarURLs: {
            /** @description Whether it is the generated picture */
            default: boolean;
            /**
             * Format: uri
             * @description WebP of 128 × 128 pixels, or the generated SVG
             */
            thumbnail: string;
            /**
             * Format: uri
             * @description WebP of 512 × 512 pixels, or the generated SVG
             */
            medium: string;
            /**
             * Format: uri
             * @description WebP of 1024 × 1024 pixels, or the address of `medium` for a small picture
             */
            large: string;
            /**
             * Format: uri
             * @description JPEG or PNG of 512 × 512 pixels, for clients without WebP
             */
            plain: string;
        };
        Quote: {
            /** @description The ID of the quoted message */
            id: components["schemas"]["ID"];
            /** @description The author of the quoted message; null when the account is deleted */
            author: components["schemas"]["Person"] | null;
            /** @description The first 140 characters of the quoted message; empty when it is deleted or hidden */
            excerpt: string;
        };
        TokenExpiring: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "token_expiring";
            /** @description When the access token of the connection expires */
            token_expires_ms: components["schemas"]["RoomTime"];
        };
        Degraded: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "degraded";
            /** @description Whether the database is down; false when it is back */
            degraded: boolean;
        };
        GoingAway: {
            /**
             * @description The name of the message
             * @constant
             */
            t: "going_away";
            /** @description The time until the server closes the connection, in milliseconds */
            after_ms: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
