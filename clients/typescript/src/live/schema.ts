// Generated from api/live.yaml by `npm run generate`: do not edit.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** Format: uuid */
        ID: string;
        Count: number;
        /** @description Milliseconds from the beginning of the item */
        Position: number;
        /** @description Milliseconds since 1970-01-01 UTC by the clock of the database */
        RoomTime: number;
        Speed: number;
        Hello: {
            /** @constant */
            t: "hello";
            /** @description An access token, as the REST API takes it */
            token: string;
            /** @description The `connection` of the user's lost connection. If it is still open on the same server, it is closed with 4409. */
            resume?: components["schemas"]["ID"];
        };
        Token: {
            /** @constant */
            t: "token";
            access_token: string;
        };
        Clock: {
            /** @constant */
            t: "clock";
            /** @description Milliseconds by the client's own clock which begins anywhere */
            c0: number;
        };
        Status: {
            /** @constant */
            t: "status";
            /** @description The epoch that the player has loaded */
            epoch: components["schemas"]["Count"];
            /** @description The cue that the player has followed */
            cue: components["schemas"]["Count"];
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
            ended?: boolean;
            /** @description How far the player is ahead of the room */
            drift_ms?: number;
            /** @description The shortest round trip of the last samples of the clock */
            rtt_ms?: number;
        };
        Ready: {
            /** @constant */
            t: "ready";
            epoch: components["schemas"]["Count"];
            /** @description The cue that the player is ready for. Any other than the state's is ignored. */
            cue: components["schemas"]["Count"];
            /** @description The length of the item as the player knows it */
            duration_ms?: number;
        };
        Play: {
            /** @constant */
            t: "play";
            id: components["schemas"]["ID"];
            epoch: components["schemas"]["Count"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
        };
        Pause: {
            /** @constant */
            t: "pause";
            id: components["schemas"]["ID"];
            epoch: components["schemas"]["Count"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
            /** @description Where the person's player was when they paused */
            position_ms?: components["schemas"]["Position"];
        };
        Seek: {
            /** @constant */
            t: "seek";
            id: components["schemas"]["ID"];
            epoch: components["schemas"]["Count"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
            position_ms: components["schemas"]["Position"];
        };
        Rate: {
            /** @constant */
            t: "rate";
            id: components["schemas"]["ID"];
            epoch: components["schemas"]["Count"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
            rate: components["schemas"]["Speed"];
        };
        Load: {
            /** @constant */
            t: "load";
            id: components["schemas"]["ID"];
            epoch: components["schemas"]["Count"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
            /** @description A movie of the catalogue that has a stream */
            movie_id?: components["schemas"]["ID"];
            /** @description An item of the room's queue */
            item_id?: components["schemas"]["ID"];
            /** @description The https address of an MP4, WebM or HLS stream. Only hosts and moderators may load one. */
            stream_url?: string;
            /** @description What to call the stream at the address; the name of its file unless given */
            title?: string;
            /** @description Where to begin; at the beginning unless given */
            position_ms?: components["schemas"]["Position"];
        };
        Skip: {
            /** @constant */
            t: "skip";
            id: components["schemas"]["ID"];
            epoch: components["schemas"]["Count"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
        };
        Stop: {
            /** @constant */
            t: "stop";
            id: components["schemas"]["ID"];
            epoch: components["schemas"]["Count"];
            revision?: components["schemas"]["SeenRevision"];
            if_revision?: components["schemas"]["IfRevision"];
        };
        /** @description The revision of the state that the person saw. With it, a command that arrives again is never applied again, however late: without it, the server remembers the last 32 commands of the room. */
        SeenRevision: components["schemas"]["Count"];
        /** @description The command is refused with `playback_stale` if the room's revision is another. */
        IfRevision: components["schemas"]["Count"];
        Bye: {
            /** @constant */
            t: "bye";
        };
        Welcome: {
            /** @constant */
            t: "welcome";
            /** @description The ID of this connection, for `resume` */
            connection: components["schemas"]["ID"];
            now_ms: components["schemas"]["RoomTime"];
            token_expires_ms: components["schemas"]["RoomTime"];
            place: components["schemas"]["Place"];
            room: components["schemas"]["RoomSettings"];
            state: components["schemas"]["State"];
            queue: components["schemas"]["Queue"];
            members: components["schemas"]["Members"];
            /** @description All members of the room, in the order in which they joined */
            people: components["schemas"]["Member"][];
        };
        State: {
            /** @description Rises by one with each change */
            revision: components["schemas"]["Count"];
            /** @description Rises when the item changes or starts anew */
            epoch: components["schemas"]["Count"];
            /** @description Rises with each load and seek */
            cue: components["schemas"]["Count"];
            /** @enum {string} */
            state: "idle" | "waiting" | "playing" | "paused";
            /**
             * Format: uuid
             * @description The ID of what is played, which was an item of the queue; null while idle
             */
            item: string | null;
            /** @description What to play; null while idle */
            media: components["schemas"]["Media"] | null;
            position_ms: components["schemas"]["Position"];
            /** @description When the item was or will be at `position_ms` */
            at_ms: components["schemas"]["RoomTime"];
            rate: components["schemas"]["Speed"];
            /** @description The length of the item; null while it is not known */
            duration_ms: number | null;
            /**
             * @description When the item starts by itself, for a scheduled party; null unless it does. The state is `paused` then. A
             *     player that is ready begins at that instant by the room's clock: the state that follows has it as its
             *     `at_ms`, or is `waiting` if the room waits for somebody. Until that state comes, a player goes on for a
             *     minute at most.
             */
            starts_at_ms: components["schemas"]["RoomTime"] | null;
            /** @description What the room waits for; null unless the state is `waiting` */
            wait: components["schemas"]["Wait"] | null;
            /**
             * @description What changed the state: a command, or `ready` (everybody is), `deadline` (of a wait), `rebuffer` (somebody
             *     ran out of data), `ended` (the item is over), `voted` (to skip it), `removed` (from the queue), `deserted`
             *     (nobody was connected), `archived` (the room was), `scheduled`, `unscheduled` (it starts by itself, and no
             *     longer), `started` (as scheduled), `duration` (the length of the item was learnt), `clock` (the database's
             *     was set). Empty in a room that has never played anything.
             * @enum {string}
             */
            cause: "" | "play" | "pause" | "seek" | "rate" | "load" | "skip" | "stop" | "ready" | "deadline" | "rebuffer" | "ended" | "voted" | "removed" | "deserted" | "archived" | "scheduled" | "unscheduled" | "started" | "duration" | "clock";
            /** @description Who changed it; null for what happened by itself, and when the account is deleted */
            by: components["schemas"]["Person"] | null;
            /** @description The time when the server wrote this. It is no measurement of the clock. */
            now_ms: components["schemas"]["RoomTime"];
        };
        StateMessage: {
            /** @constant */
            t: "state";
        } & components["schemas"]["State"];
        Media: {
            title: string;
            /** @description The address of the stream; empty if the movie has lost it */
            stream_url: string;
            /**
             * Format: uuid
             * @description The movie in the catalogue; null for an address of the room's own
             */
            movie_id: string | null;
            /** @description Rises with each change of the movie in the catalogue; 0 for an address of the room's own */
            version: components["schemas"]["Count"];
            subtitles: components["schemas"]["Subtitles"][];
        };
        Subtitles: {
            /** @description A language tag (BCP 47) */
            language: string;
            /** @description The address of a WebVTT file */
            url: string;
        };
        Wait: {
            /** @enum {string} */
            reason: "load" | "seek" | "rebuffer";
            /** @description The room waits no longer than until then */
            until_ms: components["schemas"]["RoomTime"];
            /** @description Whether the room plays after that; otherwise it is paused */
            then_play: boolean;
        };
        Ack: {
            /** @constant */
            t: "ack";
            id: components["schemas"]["ID"];
            /** @description The revision that the command made */
            revision: components["schemas"]["Count"];
        };
        Error: {
            /** @constant */
            t: "error";
            /** @description The command's; absent if the message had none */
            id?: components["schemas"]["ID"];
            /**
             * @description A code of the REST API, or one of these: `unknown_message_type` (a name that the server does not know),
             *     `superseded` (a later seek was applied instead).
             */
            code: string;
            /** @description For developers */
            message: string;
            /** @description The properties that are wrong */
            errors?: components["schemas"]["FieldError"][];
            /** @description When the same message may be sent again */
            retry_after_ms?: number;
            /** @description The room's state, with `playback_stale` */
            state?: components["schemas"]["State"];
        };
        FieldError: {
            field: string;
            code: string;
            message: string;
        };
        ClockReply: {
            /** @constant */
            t: "clock";
            /** @description The client's own */
            c0: number;
            /** @description When the server read the question */
            s1: components["schemas"]["RoomTime"];
            /** @description When the server wrote the answer */
            s2: components["schemas"]["RoomTime"];
        };
        ClockChanged: {
            /** @constant */
            t: "clock_changed";
        };
        Members: {
            /** @description How many people are connected */
            present: number;
            /** @description The people for whom the room waits, by username; at most 20 */
            waiting_for: components["schemas"]["Person"][];
            /** @description How many people the room waits for */
            waiting: number;
        };
        MembersMessage: {
            /** @constant */
            t: "members";
        } & components["schemas"]["Members"];
        Member: {
            user: components["schemas"]["Person"];
            role: components["schemas"]["Role"];
            muted: boolean;
            /** @description Whether a live connection of this person is open */
            connected: boolean;
        };
        /** @enum {string} */
        Role: "host" | "moderator" | "viewer";
        People: {
            /** @constant */
            t: "people";
            /** @description Members who are new or have changed, in full */
            changed: components["schemas"]["Member"][];
            /** @description People who are not members any more */
            left: components["schemas"]["ID"][];
        };
        Place: {
            user: components["schemas"]["Person"];
            role: components["schemas"]["Role"];
            /** @description What this person may do in the room now, as in REST */
            permissions: string[];
            /**
             * Format: date-time
             * @description null unless muted
             */
            muted_until: string | null;
        };
        PlaceMessage: {
            /** @constant */
            t: "place";
        } & components["schemas"]["Place"];
        RoomSettings: {
            name: string;
            /**
             * @description Who may control the playback
             * @enum {string}
             */
            control: "host" | "moderators" | "everyone";
            /**
             * @description Who may add to the queue
             * @enum {string}
             */
            queue: "host" | "moderators" | "everyone";
            /** @enum {string} */
            queue_order: "manual" | "votes";
            /**
             * @description Whom the room waits for; auto is everyone while at most 8 are present, otherwise nobody
             * @enum {string}
             */
            wait_policy: "auto" | "everyone" | "host" | "nobody";
            /** @description Between two messages of one person; 0 without slow mode */
            slow_mode_seconds: number;
            /**
             * @description When a party of the room was last scheduled, changed, started or cancelled, in milliseconds since 1970; 0
             *     without any. REST has the parties (`GET /rooms/{room_id}/parties`).
             */
            parties_ms: number;
        };
        RoomMessage: {
            /** @constant */
            t: "room";
        } & components["schemas"]["RoomSettings"];
        Queue: {
            /** @description Rises with each change of the queue and of its votes, but not with one of a movie in it */
            version: components["schemas"]["Count"];
            /** @description How many people have voted to skip the present item */
            skip_votes: number;
        };
        QueueMessage: {
            /** @constant */
            t: "queue";
        } & components["schemas"]["Queue"];
        MessageEvent: {
            /** @constant */
            t: "message";
            message: components["schemas"]["ChatMessage"];
        };
        Hidden: {
            /** @constant */
            t: "hidden";
            /** @description Whose content is hidden */
            user: components["schemas"]["ID"];
        };
        /** @description The schema Message of the REST API */
        ChatMessage: {
            id: components["schemas"]["ID"];
            room_id: components["schemas"]["ID"];
            /** @description null when the account is deleted */
            author: components["schemas"]["Person"] | null;
            /** @description Plain text as it was sent; escape it before showing it */
            body: string;
            /** @description The message that it answers */
            reply_to: components["schemas"]["Quote"] | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            edited_at: string | null;
            /** @description Whether it is deleted or hidden; the body is empty then */
            deleted: boolean;
        };
        /** @description The schema Person of the REST API */
        Person: {
            id: components["schemas"]["ID"];
            username: string;
            display_name: string;
            avatar: components["schemas"]["AvatarURLs"];
        };
        /** @description The schema AvatarURLs of the REST API */
        AvatarURLs: {
            /** @description Whether it is the generated picture */
            default: boolean;
            /** Format: uri */
            thumbnail: string;
            /** Format: uri */
            medium: string;
            /** Format: uri */
            large: string;
            /** Format: uri */
            plain: string;
        };
        Quote: {
            id: components["schemas"]["ID"];
            author: components["schemas"]["Person"] | null;
            /** @description The beginning; empty when the message is gone */
            excerpt: string;
        };
        TokenExpiring: {
            /** @constant */
            t: "token_expiring";
            token_expires_ms: components["schemas"]["RoomTime"];
        };
        Degraded: {
            /** @constant */
            t: "degraded";
            /** @description false when the database is back */
            degraded: boolean;
        };
        GoingAway: {
            /** @constant */
            t: "going_away";
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
