-- Tables of millions of rows are written anew here; docs/search.md says for how long.
SET LOCAL statement_timeout = 0;

-- What is searched and what people type go through the same functions, so that one is found by the other. They work the
-- same whatever LC_CTYPE the database has: letters, spaces and punctuation are ICU's. The functions that call another one
-- keep the search_path, without which pg_restore would not find it.

-- search_fold writes a text in the form that is compared: compatibility forms as the characters that they stand for
-- (NFKD), lower case, without diacritics and what is not seen, special letters and digits as the ones that people type for
-- them, katakana as hiragana. Words end at a space; a hyphen is left where marks stood within one (face-off, ocean-s), and
-- where scripts meet. Of marks alone they are the text. With spelt, German and Nordic letters are written as keyboards without them do: ü as ue.
CREATE FUNCTION search_fold(t text, spelt boolean) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    ascii CONSTANT boolean := octet_length(t) = char_length(t);
    bare text;
BEGIN
    IF ascii THEN
        t := lower(t COLLATE "C");
    ELSE
        -- NFKD would make spaces of accents that stand for apostrophes, letters of ™, and 81/2 of 8½.
        t := translate(t, '´΄ʹʻʼʽˈˊꞌ™℠', repeat('''', 9));
        t := normalize(regexp_replace(t, '([¼-¾⅐-⅞])', ' \1', 'g'), NFKD);
        t := lower(t COLLATE "und-x-icu");
        t := regexp_replace(t, '[\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u30fc'
            || '\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]', '', 'g');
        IF spelt THEN
            t := regexp_replace(t, '([aou])\u0308', '\1e', 'g');
            t := replace(replace(t, U&'a\030a', 'aa'), 'ø', 'oe');
        END IF;
        -- й is a letter of its own. So are the voiced kana, whose marks are not among these.
        t := replace(t, U&'\0438\0306', 'й');
        t := regexp_replace(t, '[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670'
            || '\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u093c\u09bc\u0a3c\u0abc\u0b3c\u1ab0-\u1aff\u1dc0-\u1dff'
            || '\u20d0-\u20ff\ufe20-\ufe2f]', '', 'g');
        t := replace(replace(replace(replace(t, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
        t := translate(t,
            'øłđðħŧıŋəςґ' || 'ٱىیېےةەھہک' || 'ךםןףץ' || '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९০১২৩৪৫৬৭৮৯๐๑๒๓๔๕๖๗๘๙'
                || 'ァアィイゥウェエォオカキクケコサシスセソタチッツテトナニヌネノハヒフヘホマミムメモャヤュユョヨラリルレロヮワヰヱヲンヵヶヽ',
            'olddhtineσг' || 'ايييي' || 'ههههك' || 'כמנפצ' || repeat('0123456789', 5)
                || 'ぁあぃいぅうぇえぉおかきくけこさしすせそたちっつてとなにぬねのはひふへほまみむめもゃやゅゆょよらりるれろゎわゐゑをんゕゖゝ');
        t := normalize(t, NFC); -- a voiced kana and a syllable of Hangul are one character again
    END IF;
    t := regexp_replace(t COLLATE "und-x-icu", '\s+', ' ', 'g');
    t := regexp_replace(t, '(^| )[&+](?= |$)', '\1and', 'g');
    bare := translate(t, ' -', '');
    -- Marks: punctuation, control characters, and the blocks of symbols.
    t := regexp_replace(t COLLATE "und-x-icu", '[[:punct:][:cntrl:]$+<=>^`|~¢-©¬®-±¶×÷\u02c2-\u02df\u0e3f\u2044\u20a0-\u20cf\u2100-\u214f\u2190-\u2bff'
        || '\u3003\u3004\u3012-\u3020\u3036\u303f\u309b\u309c\u3190-\u319f\u31c0-\u31ef\ufffc\ufffd\U0001f000-\U0001faff]+', '-', 'g');
    t := coalesce(nullif(btrim(regexp_replace(t, '-* [- ]*', ' ', 'g'), '- '), ''), bare);
    IF NOT ascii THEN
        t := regexp_replace(t, '([\u0e00-\U0010ffff])-(?=[\u0e00-\U0010ffff])', '\1', 'g');
        t := regexp_replace(t, '([\u0e00-\U0010ffff])(?=[^- \u0e00-\U0010ffff])', '\1-', 'g');
        t := regexp_replace(t, '([^- \u0e00-\U0010ffff])(?=[\u0e00-\U0010ffff])', '\1-', 'g');
    END IF;
    RETURN t;
END $$;

-- search_words cuts what search_fold gives into words. joined adds to those that marks stood in the same without them. A
-- word of a script that is written without spaces, and of every other one from U+0E00 on, is cut into three characters
-- from each place on: what is in the word begins one of them. Hangul is in letters then, so that half a syllable does too.
CREATE FUNCTION search_words(folded text, prefix text, joined boolean) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    longest CONSTANT integer := 64; -- characters; Postgres takes 2046 bytes
    found text[] := '{}';
    word text; chunk text; characters text[];
BEGIN
    IF joined AND folded LIKE '%-%' THEN
        FOREACH chunk IN ARRAY string_to_array(folded, ' ') LOOP
            IF chunk LIKE '%-%' THEN
                found := found || (prefix || left(replace(chunk, '-', ''), longest));
            END IF;
        END LOOP;
    END IF;
    FOREACH word IN ARRAY string_to_array(translate(folded, '-', ' '), ' ') LOOP
        IF ascii(word) < 3584 THEN
            found := found || (prefix || left(word, longest));
        ELSE
            characters := string_to_array(word, NULL);
            FOR i IN 1..cardinality(characters) LOOP
                found := found || (prefix || normalize(concat(characters[i], characters[i + 1], characters[i + 2]), NFD));
            END LOOP;
        END IF;
    END LOOP;
    RETURN found;
END $$;

-- search_lexemes is what a row is found by: ^ and the whole of a title as one word, < and its beginnings up to the end of
-- each of the first words, = and its words, its neighbouring words as one, and the parts of hyphened ones as one, ~ and
-- these with a letter missing; . and the words of the body. An article at the beginning of a title may be left out.
CREATE FUNCTION search_lexemes(titles text[], body text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path FROM CURRENT AS $$
DECLARE
    longest CONSTANT integer := 64;
    longest_title CONSTANT integer := 200;
    starts CONSTANT integer := 8; -- words
    lexemes text[] := '{}';
    title text; word text; start text; folded text; former text; spelt boolean; words text[];
BEGIN
    FOREACH title IN ARRAY titles LOOP
        former := '';
        FOREACH spelt IN ARRAY ARRAY[false, true] LOOP
            CONTINUE WHEN spelt AND title !~ '[äöüåøÄÖÜÅØ\u0308\u030a]';
            folded := search_fold(title, spelt);
            CONTINUE WHEN folded IN ('', former);
            former := folded;
            -- Without spaces within scripts that have none, whoever has put some there.
            folded := regexp_replace(folded, '([\u0e00-\U0010ffff]) (?=[\u0e00-\U0010ffff])', '\1', 'g');
            lexemes := lexemes || search_words(folded, '=', true);
            FOREACH word IN ARRAY search_words(folded, '', true) LOOP
                IF ascii(word) < 3584 THEN
                    lexemes := lexemes || ('~' || word);
                    IF char_length(word) BETWEEN 4 AND 24 AND word !~ '^[0-9]+$' THEN
                        FOR i IN 1..char_length(word) LOOP
                            lexemes := lexemes || ('~' || overlay(word PLACING '' FROM i FOR 1));
                        END LOOP;
                    END IF;
                END IF;
            END LOOP;
            words := string_to_array(translate(folded, '-', ' '), ' ');
            FOR i IN 1..cardinality(words) - 1 LOOP
                IF ascii(words[i]) < 3584 AND ascii(words[i + 1]) < 3584 THEN
                    lexemes := lexemes || ('=' || left(words[i] || words[i + 1], longest));
                END IF;
            END LOOP;
            FOR begun IN 1..CASE WHEN words[1] = ANY ('{the,a,an,le,la,les,el,los,las,il,der,die,das}') AND words[2] <> '' THEN 2 ELSE 1 END LOOP
                start := '';
                FOR i IN begun..least(begun + starts - 1, cardinality(words)) LOOP
                    start := left(start || normalize(words[i], NFD), longest_title);
                    lexemes := lexemes || ('<' || start);
                END LOOP;
                lexemes := lexemes || ('^' || left(normalize(array_to_string(words[begun:], ''), NFD), longest_title));
            END LOOP;
        END LOOP;
    END LOOP;
    former := '';
    FOREACH spelt IN ARRAY ARRAY[false, true] LOOP
        CONTINUE WHEN spelt AND body !~ '[äöüåøÄÖÜÅØ\u0308\u030a]';
        folded := search_fold(body, spelt);
        CONTINUE WHEN folded IN ('', former);
        former := folded;
        lexemes := lexemes || search_words(regexp_replace(folded, '([\u0e00-\U0010ffff]) (?=[\u0e00-\U0010ffff])', '\1', 'g'), '.', true);
    END LOOP;
    RETURN array_to_tsvector(lexemes);
END $$;

-- A genre is the same however it is written.
CREATE FUNCTION search_genres(genres text[]) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path FROM CURRENT AS $$
DECLARE
    found text[] := '{}';
    genre text; spelt boolean;
BEGIN
    FOREACH genre IN ARRAY genres LOOP
        FOREACH spelt IN ARRAY ARRAY[false, true] LOOP
            found := found || coalesce(nullif(translate(search_fold(genre, spelt), '- ', ''), ''), genre); -- a genre of hyphens
        END LOOP;
    END LOOP;
    RETURN found;
END $$;

ALTER TABLE movies
    DROP COLUMN search,
    ADD COLUMN search tsvector GENERATED ALWAYS AS (search_lexemes(ARRAY[title], description)) STORED,
    ADD COLUMN searched_genres text[] GENERATED ALWAYS AS (search_genres(genres)) STORED;
ALTER TABLE rooms
    DROP COLUMN search,
    ADD COLUMN search tsvector GENERATED ALWAYS AS (search_lexemes(ARRAY[name], description)) STORED;
ALTER TABLE users
    ADD COLUMN search tsvector GENERATED ALWAYS AS (search_lexemes(ARRAY[username, display_name], '')) STORED;

DROP INDEX movies_genres_idx, users_username_prefix_idx;
