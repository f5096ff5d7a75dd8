package store

import (
	"context"
	"crypto/rand"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/migrations"
)

// catalogue are titles of many languages and their descriptions.
var catalogue = map[string]string{
	"Face/Off": "", "Frost/Nixon": "", "Catch-22": "", "Catch Me If You Can": "", "Amélie": "", "七人の侍": "",
	"Spider-Man":                "",
	"Spider-Man: Far from Home": "", "Spiders": "", "WALL·E": "", "Se7en": "", "Seven Years in Tibet": "", "M*A*S*H": "",
	"Ocean's Eleven": "", "Ocean’s Twelve": "", "L.A. Confidential": "", "E.T. the Extra-Terrestrial": "", "S.W.A.T.": "",
	"The Matrix": "", "The Matrix Reloaded": "", "The Godfather": "", "The Godfather Part II": "", "Star Wars": "",
	"Stargate":  "",
	"Lone Star": "", "Starman": "", "Ed Wood": "", "Edge of Tomorrow": "", "8½": "", "Alien": "", "Aliens": "",
	"Alien³":         "",
	"Fast & Furious": "", "Romeo + Juliet": "", "Tom and Jerry": "", "Don't Look Now": "", "Rock 'n' Roll High School": "",
	"2001: A Space Odyssey": "", "1984": "", "1985": "", "AC/DC: Let There Be Rock": "", "Who Framed Roger Rabbit?": "",
	"The Thin Man": "A retired detective, his wife and their dog", "The Third Man": "Vienna after the war",
	"Für Elise": "", "Fuehrer Ex": "", "Der Müde Tod": "", "Die Büchse der Pandora": "", "Das Boot": "",
	"Große Freiheit": "",
	"Łódź Story":     "", "Smørrebrød": "", "Ålesund": "", "Íslenski draumurinn": "", "Þór": "", "Les Misérables": "",
	"L'Avventura": "",
	"Cœur fidèle": "", "El laberinto del fauno": "", "Año bisiesto": "", "Cidade de Deus": "", "Não": "", "Żelary": "",
	"İstanbul": "", "Kış Uykusu": "", "Sıla": "", "Mùi đu đủ xanh": "", "Đất phương Nam": "", "Ёлки": "",
	"Броненосец «Потёмкин»": "",
	"Мой друг Иван Лапшин":  "", "Мои": "", "Щит і меч": "", "Їжак": "", "Ζορμπάς": "", "Ο Θίασος": "", "Στέλλα": "",
	"القَاهِرَة ٣٠": "", "أفواه وأرانب": "", "آخر أيام": "", "شباب امرأة": "", "جدایی نادر از سیمین": "",
	"می\u200cخواهم زنده بمانم": "",
	"שָׁלוֹם": "", "ואלס עם באשיר": "", "צה\"ל": "", "東京物語": "", "東京ゴッドファーザーズ": "", "千と千尋の神隠し": "", "スター・ウォーズ": "",
	"ｶﾞﾝﾀﾞﾑ": "", "セーラームーン": "", "君の名は。": "", "霸王别姬": "", "卧虎藏龙": "", "올드보이": "", "살인의 추억": "", "기생충": "",
	"봉준호 특별전": "", "นางนาก": "", "องค์บาก": "", "हिन्दी मीडियम": "", "पाथेर पांचाली": "", "পথের পাঁচালী": "",
	"ქეთო და კოტე": "",
	"Նռան գույնը":  "", "ភ្លេងចុងក្រោយ": "", "Ｆｕｌｌｗｉｄｔｈ": "", "Ⅻ Monkeys": "", "Toy Story": "", "Toy Story 2": "",
	"Interstellar": "", "The Shawshank Redemption": "",
	"Nosferatu":  "A vampire in Wisborg, not in Bremen; his shadow-play is feared",
	"Metropolis": "Stadt der Zukunft; 東京の夜", "Casablanca": "", "Her": "", "Hercules": "", "It": "",
	"Italian for Beginners":                             "",
	"The Lord of the Rings: The Fellowship of the Ring": "", "…": "", "🎬": "", "Q&A": "", "$": "", "+1": "",
	"¡¿?!": "", "🍿🎥": "", "$🍿": "", "&": "", "---": "",
}

// searches are what people type, and what they are given: first the first titles, in order; then what is among the
// others; never what must not be. nothing is for no title at all.
var searches = []struct {
	typed string
	first []string
	also  []string
	never []string
}{
	// Marks within words are a break and nothing.
	{"face off", []string{"Face/Off"}, nil, []string{"Edge of Tomorrow"}},
	{"faceoff", []string{"Face/Off"}, nil, nil},
	{"face/off", []string{"Face/Off"}, nil, nil},
	{"FACE-OFF", []string{"Face/Off"}, nil, nil},
	{"nixon", []string{"Frost/Nixon"}, nil, nil},
	{"frost nix", []string{"Frost/Nixon"}, nil, nil},
	{"catch 22", []string{"Catch-22"}, nil, []string{"Catch Me If You Can"}},
	{"catch22", []string{"Catch-22"}, nil, nil},
	{"catch-22", []string{"Catch-22"}, nil, nil},
	{"catch", []string{"Catch-22", "Catch Me If You Can"}, nil, nil},
	{"spiderman", []string{"Spider-Man", "Spider-Man: Far from Home"}, nil, []string{"Spiders"}},
	{"spider man", []string{"Spider-Man", "Spider-Man: Far from Home"}, nil, []string{"Spiders"}},
	{"spiderm", []string{"Spider-Man"}, nil, []string{"Spiders"}},
	{"spider", []string{"Spider-Man", "Spider-Man: Far from Home", "Spiders"}, nil, nil},
	{"wall e", []string{"WALL·E"}, nil, nil},
	{"walle", []string{"WALL·E"}, nil, nil},
	{"wall-e", []string{"WALL·E"}, nil, nil},
	{"se7en", []string{"Se7en"}, nil, nil},
	{"mash", []string{"M*A*S*H"}, nil, nil},
	{"M.A.S.H.", []string{"M*A*S*H"}, nil, nil},
	{"m*a*s*h", []string{"M*A*S*H"}, nil, nil},
	{"oceans eleven", []string{"Ocean's Eleven"}, nil, []string{"Ocean’s Twelve"}},
	{"ocean's eleven", []string{"Ocean's Eleven"}, nil, nil},
	{"ocean eleven", []string{"Ocean's Eleven"}, nil, nil},
	{"Ocean´s", []string{"Ocean's Eleven", "Ocean’s Twelve"}, nil, nil},
	{"la confidential", []string{"L.A. Confidential"}, nil, nil},
	{"et", []string{"E.T. the Extra-Terrestrial"}, nil, nil},
	{"e.t.", []string{"E.T. the Extra-Terrestrial"}, nil, nil},
	{"extraterr", []string{"E.T. the Extra-Terrestrial"}, nil, nil},
	{"terrestrial", []string{"E.T. the Extra-Terrestrial"}, nil, nil},
	{"swat", []string{"S.W.A.T."}, nil, nil},
	{"dont look", []string{"Don't Look Now"}, nil, nil},
	{"don’t look now", []string{"Don't Look Now"}, nil, nil},
	{"rocknroll", []string{"Rock 'n' Roll High School"}, nil, nil},
	{"rock'n'roll", []string{"Rock 'n' Roll High School"}, nil, nil},
	{"acdc", []string{"AC/DC: Let There Be Rock"}, nil, nil},
	{"ac/dc", []string{"AC/DC: Let There Be Rock"}, nil, nil},
	{"2001 space odyssey", []string{"2001: A Space Odyssey"}, nil, nil},
	{"8 1/2", []string{"8½"}, nil, nil},
	{"8½", []string{"8½"}, nil, nil},
	{"alien 3", []string{"Alien³"}, nil, []string{"Aliens"}},
	{"alien3", []string{"Alien³"}, nil, nil},
	{"fast and furious", []string{"Fast & Furious"}, nil, nil},
	{"fast & furious", []string{"Fast & Furious"}, nil, nil},
	{"q and a", []string{"Q&A"}, nil, nil},
	{"Q & A", []string{"Q&A"}, nil, nil},
	{"q&a", []string{"Q&A"}, nil, nil},
	{"fast furious", []string{"Fast & Furious"}, nil, nil},
	{"romeo and juliet", []string{"Romeo + Juliet"}, nil, nil},
	{"tom & jerry", []string{"Tom and Jerry"}, nil, nil},
	{"starwars", []string{"Star Wars"}, nil, nil},
	{"lordoftherings", []string{"The Lord of the Rings: The Fellowship of the Ring"}, nil, nil},
	{"who framed roger rabbit?", []string{"Who Framed Roger Rabbit?"}, nil, nil},
	{"toystory2", []string{"Toy Story 2"}, nil, []string{"Toy Story"}},
	{"toy story", []string{"Toy Story", "Toy Story 2"}, nil, nil},
	// The closest first.
	{"matrix", []string{"The Matrix", "The Matrix Reloaded"}, nil, nil},
	{"the matrix", []string{"The Matrix", "The Matrix Reloaded"}, nil, nil},
	{"the ma", []string{"The Matrix", "The Matrix Reloaded"}, []string{"The Thin Man", "The Third Man"},
		[]string{"M*A*S*H"}},
	{"godfather", []string{"The Godfather", "The Godfather Part II"}, nil, nil},
	{"star", []string{"Star Wars", "Starman", "Stargate", "Lone Star"}, nil, nil},
	{"ed", []string{"Ed Wood", "Edge of Tomorrow"}, nil, nil},
	{"her", []string{"Her", "Hercules"}, nil, nil},
	{"it", []string{"It", "Italian for Beginners"}, nil, nil},
	{"alien", []string{"Alien", "Aliens"}, []string{"Alien³"}, nil},
	{"man", []string{"Spider-Man", "The Thin Man", "The Third Man"}, nil, []string{"Starman"}},
	{"man thin", []string{"The Thin Man"}, nil, []string{"The Third Man"}},
	{"thi ma", nil, nil, []string{"The Thin Man"}},
	{"thin war", nil, nil, []string{"The Thin Man", "The Third Man"}},
	{"thin detective", []string{"The Thin Man"}, nil, []string{"The Third Man"}},
	{"shadowplay", []string{"Nosferatu"}, nil, nil},
	{"shadow play", []string{"Nosferatu"}, nil, nil},
	{"1984", []string{"1984"}, nil, []string{"1985"}},
	{"1986", nil, nil, []string{"1984", "1985"}},
	// Diacritics and letters.
	{"amelie", []string{"Amélie"}, nil, nil},
	{"AMÉLIE", []string{"Amélie"}, nil, nil},
	{"ame\u0301lie", []string{"Amélie"}, nil, nil},
	{"für elise", []string{"Für Elise"}, nil, nil},
	{"fur elise", []string{"Für Elise"}, nil, nil},
	{"fuer elise", []string{"Für Elise"}, nil, nil},
	{"fu\u0308r", []string{"Für Elise"}, nil, nil},
	{"führer", []string{"Fuehrer Ex"}, nil, nil},
	{"mude tod", []string{"Der Müde Tod"}, nil, nil},
	{"buechse", []string{"Die Büchse der Pandora"}, nil, nil},
	{"boot", []string{"Das Boot"}, nil, nil},
	{"grosse freiheit", []string{"Große Freiheit"}, nil, nil},
	{"GROẞE", []string{"Große Freiheit"}, nil, nil},
	{"lodz", []string{"Łódź Story"}, nil, nil},
	{"smorrebrod", []string{"Smørrebrød"}, nil, nil},
	{"smoerrebroed", []string{"Smørrebrød"}, nil, nil},
	{"alesund", []string{"Ålesund"}, nil, nil},
	{"aalesund", []string{"Ålesund"}, nil, nil},
	{"islenski", []string{"Íslenski draumurinn"}, nil, nil},
	{"thor", []string{"Þór"}, nil, nil},
	{"misera", []string{"Les Misérables"}, nil, nil},
	{"avventura", []string{"L'Avventura"}, nil, nil},
	{"lavventura", []string{"L'Avventura"}, nil, nil},
	{"coeur", []string{"Cœur fidèle"}, nil, nil},
	{"laberinto fauno", []string{"El laberinto del fauno"}, nil, nil},
	{"ano bisiesto", []string{"Año bisiesto"}, nil, nil},
	{"nao", []string{"Não"}, nil, nil},
	{"zelary", []string{"Żelary"}, nil, nil},
	{"istanbul", []string{"İstanbul"}, nil, nil},
	{"ISTANBUL", []string{"İstanbul"}, nil, nil},
	{"kis uykusu", []string{"Kış Uykusu"}, nil, nil},
	{"KIŞ", []string{"Kış Uykusu"}, nil, nil},
	{"sila", []string{"Sıla"}, nil, nil},
	{"mui du du xanh", []string{"Mùi đu đủ xanh"}, nil, nil},
	{"dat phuong nam", []string{"Đất phương Nam"}, nil, nil},
	{"елки", []string{"Ёлки"}, nil, nil},
	{"ЁЛКИ", []string{"Ёлки"}, nil, nil},
	{"потемкин", []string{"Броненосец «Потёмкин»"}, nil, nil},
	{"мой", []string{"Мой друг Иван Лапшин"}, nil, []string{"Мои"}},
	{"іжак", []string{"Їжак"}, nil, nil},
	{"ζορμπας", []string{"Ζορμπάς"}, nil, nil},
	{"ΖΟΡΜΠΑΣ", []string{"Ζορμπάς"}, nil, nil},
	{"θιασος", []string{"Ο Θίασος"}, nil, nil},
	{"القاهرة 30", []string{"القَاهِرَة ٣٠"}, nil, nil},
	{"القاهره", []string{"القَاهِرَة ٣٠"}, nil, nil},
	{"افواه وارانب", []string{"أفواه وأرانب"}, nil, nil},
	{"اخر ايام", []string{"آخر أيام"}, nil, nil},
	{"شبـــاب امراه", []string{"شباب امرأة"}, nil, nil},
	{"جدايي نادر", []string{"جدایی نادر از سیمین"}, nil, nil},
	{"میخواهم", []string{"می\u200cخواهم زنده بمانم"}, nil, nil},
	{"می خواهم زنده", []string{"می\u200cخواهم زنده بمانم"}, nil, nil},
	{"שלום", []string{"שָׁלוֹם"}, nil, nil},
	{"באשיר", []string{"ואלס עם באשיר"}, nil, nil},
	{"צהל", []string{"צה\"ל"}, nil, nil},
	{"צה״ל", []string{"צה\"ל"}, nil, nil},
	{"fullwidth", []string{"Ｆｕｌｌｗｉｄｔｈ"}, nil, nil},
	{"xii monkeys", []string{"Ⅻ Monkeys"}, nil, nil},
	// Scripts without spaces.
	{"侍", []string{"七人の侍"}, nil, nil},
	{"七人", []string{"七人の侍"}, nil, nil},
	{"人の侍", []string{"七人の侍"}, nil, nil},
	{"七人の侍", []string{"七人の侍"}, nil, nil},
	{"七侍", nil, nil, []string{"七人の侍"}},
	{"東京", []string{"東京物語", "東京ゴッドファーザーズ", "Metropolis"}, nil, nil},
	{"京東", nil, nil, []string{"東京物語"}},
	{"東京 物語", []string{"東京物語"}, nil, []string{"東京ゴッドファーザーズ"}},
	{"神隠し", []string{"千と千尋の神隠し"}, nil, nil},
	{"スターウォーズ", []string{"スター・ウォーズ"}, nil, nil},
	{"スター ウォーズ", []string{"スター・ウォーズ"}, nil, nil},
	{"ウォーズ", []string{"スター・ウォーズ"}, nil, nil},
	{"すたーうぉーず", []string{"スター・ウォーズ"}, nil, nil},
	{"ガンダム", []string{"ｶﾞﾝﾀﾞﾑ"}, nil, nil},
	{"カンタム", nil, nil, []string{"ｶﾞﾝﾀﾞﾑ"}},
	{"ｾｰﾗｰﾑｰﾝ", []string{"セーラームーン"}, nil, nil},
	{"君の名は", []string{"君の名は。"}, nil, nil},
	{"别姬", []string{"霸王别姬"}, nil, nil},
	{"藏龙", []string{"卧虎藏龙"}, nil, nil},
	{"올드 보이", []string{"올드보이"}, nil, nil},
	{"보이", []string{"올드보이"}, nil, nil},
	{"살인의추억", []string{"살인의 추억"}, nil, nil},
	{"추억", []string{"살인의 추억"}, nil, nil},
	{"기새", []string{"기생충"}, nil, nil},
	{"봉준ㅎ", []string{"봉준호 특별전"}, nil, nil},
	{"นาก", []string{"นางนาก"}, nil, []string{"องค์บาก"}},
	{"हिन्दी", []string{"हिन्दी मीडियम"}, nil, nil},
	{"पांचा", []string{"पाथेर पांचाली"}, nil, nil},
	{"পাঁচালী", []string{"পথের পাঁচালী"}, nil, nil},
	{"კოტე", []string{"ქეთო და კოტე"}, nil, nil},
	{"գույն", []string{"Նռան գույնը"}, nil, nil},
	{"ចុង", []string{"ភ្លេងចុងក្រោយ"}, nil, nil},
	// One letter may be wrong, missing, too many, or in its neighbour's place; when nothing else is found.
	{"intersteller", []string{"Interstellar"}, nil, nil}, //nolint:misspell
	{"interstelar", []string{"Interstellar"}, nil, nil},  //nolint:misspell
	{"interrstellar", []string{"Interstellar"}, nil, nil},
	{"intesrtellar", []string{"Interstellar"}, nil, nil},
	{"intersetl", []string{"Interstellar"}, nil, nil},
	{"shawshenk redemtion", []string{"The Shawshank Redemption"}, nil, nil},
	{"casablnaca", []string{"Casablanca"}, nil, nil},
	{"nosfertu", []string{"Nosferatu"}, nil, nil},
	{"броненосиц", []string{"Броненосец «Потёмкин»"}, nil, nil},
	{"Zorbas", nil, nil, []string{"Ζορμπάς"}},
	{"xnosferatux", nil, nil, []string{"Nosferatu"}},
	{"nosferatu redemption", nil, nil, []string{"Nosferatu", "The Shawshank Redemption"}},
	// Marks are words where there are no others.
	{"…", []string{"…"}, nil, nil},
	{"🎬", []string{"🎬"}, nil, []string{"🍿🎥"}},
	{"🎬\ufe0f", []string{"🎬"}, nil, nil},
	{"🎥", []string{"🍿🎥"}, nil, nil},
	{"🍿 🎥", []string{"🍿🎥"}, nil, nil},
	{"$", []string{"$", "$🍿"}, nil, nil},
	{"🍿", []string{"🍿🎥"}, []string{"$🍿"}, nil},
	{"¡¿?!", []string{"¡¿?!"}, nil, nil},
	{"+1", []string{"+1"}, nil, nil},
	{"matrix 🎬", []string{"The Matrix", "The Matrix Reloaded"}, nil, []string{"🎬"}},
	{"--", nil, nil, []string{"---"}},
	// No word, and nobody's syntax.
	{"' & | ! ( ) <-> :* \\", []string{"&"}, nil, []string{"Tom and Jerry"}},
	{"\u0301\u0308", nil, nil, []string{"Amélie"}},
	{"&", []string{"&"}, []string{"Fast & Furious"}, nil},
	{"thin & !man", []string{"The Thin Man"}, nil, nil},
	{"thin | woman", nil, nil, []string{"The Thin Man"}},
	{"'thin' man", []string{"The Thin Man"}, nil, nil},
	{"thin:* <-> man:*", []string{"The Thin Man"}, nil, nil},
	{"man:Z", nil, nil, []string{"The Thin Man"}},
	{"'; DROP TABLE movies; --", nil, nil, []string{"The Thin Man"}},
	{"%", nil, nil, []string{"The Thin Man"}},
}

func TestSearch(t *testing.T) {
	t.Parallel()
	searchCatalogue(t, openStore(t))
}

func searchCatalogue(t *testing.T, s *Store) {
	t.Helper()
	require.GreaterOrEqual(t, len(catalogue), 60)
	var movies []watchparty.Movie
	for title, description := range catalogue {
		movies = append(movies, watchparty.Movie{Title: title, Year: 1950, RuntimeMinutes: 90, Description: description})
	}
	slices.SortFunc(movies, func(a, b watchparty.Movie) int { return strings.Compare(a.Title, b.Title) })
	require.NoError(t, s.AddMovies(t.Context(), movies))
	for _, test := range searches {
		t.Run(test.typed, func(t *testing.T) {
			found, err := s.Movies(t.Context(), watchparty.MovieFilter{Search: test.typed}, Page{Limit: 100})
			require.NoError(t, err)
			titles := movieTitles(found)
			require.GreaterOrEqual(t, len(titles), len(test.first), "%q", titles)
			require.Equal(t, test.first, append([]string(nil), titles[:len(test.first)]...), "%q", titles)
			if len(test.also) > 0 {
				require.Subset(t, titles, test.also)
			}
			if len(test.first) == 0 {
				require.Empty(t, titles)
			}
			for _, title := range append(test.first, append(test.also, test.never...)...) {
				require.Contains(t, catalogue, title)
			}
			for _, title := range test.never {
				require.NotContains(t, titles, title)
			}
		})
	}
}

// TestSearchEverywhere: rooms, accounts and genres are found as movies are.
func TestSearchEverywhere(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	for _, name := range []string{"zoe.smith", "andre_b", "Tom-Tom"} {
		newUser(t, s, name)
	}
	execute(t, s, "UPDATE users SET display_name = 'Zoë Müller' WHERE username = 'zoe.smith'")
	execute(t, s, "UPDATE users SET display_name = '侍の友' WHERE username = 'Tom-Tom'")
	for _, name := range []string{"Face/Off & friends", "七人の侍 — 上映会", "Kino für alle", "Wall·E night", "Ёлки 2"} {
		newRoom(t, s, root, func(n *watchparty.NewRoom) { n.Name, n.Description = name, "Amélie's café; spider-man" })
	}
	execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?",
		newRoom(t, s, root, func(n *watchparty.NewRoom) { n.Name, n.Visibility = "Archived, secret", watchparty.Private }).ID)
	for _, genres := range [][]string{{"sci-fi", "komödie"}, {"film noir"}, {"侍"}, {"🎃"}, {"???"}} {
		newMovie(t, s, root, watchparty.NewMovie{Title: genres[0], Genres: genres})
	}
	rooms := func(typed string) []string {
		found, err := s.Rooms(t.Context(), watchparty.RoomFilter{Search: typed}, Page{Limit: 10})
		require.NoError(t, err)
		return ids(found, func(r watchparty.Room) string { return r.Name })
	}
	anyRooms := func(typed string) []string {
		found, err := s.AdminRooms(t.Context(), watchparty.AdminRoomFilter{Search: typed}, Page{Limit: 10})
		require.NoError(t, err)
		return ids(found, func(r watchparty.AdminRoom) string { return r.Room.Name })
	}
	users := func(typed string) []string {
		found, err := s.Users(t.Context(), watchparty.UserFilter{Search: typed}, Page{Limit: 10})
		require.NoError(t, err)
		return ids(found, func(u watchparty.User) string { return u.Username })
	}
	genres := func(typed string) []string {
		found, err := s.Movies(t.Context(), watchparty.MovieFilter{Genre: typed}, Page{Limit: 10})
		require.NoError(t, err)
		return movieTitles(found)
	}
	for _, test := range []struct {
		list  func(string) []string
		typed string
		want  []string
	}{
		{rooms, "faceoff", []string{"Face/Off & friends"}}, {rooms, "face off and fr", []string{"Face/Off & friends"}},
		{rooms, "侍", []string{"七人の侍 — 上映会"}}, {rooms, "kino fuer", []string{"Kino für alle"}},
		{rooms, "walle", []string{"Wall·E night"}},
		{rooms, "елки", []string{"Ёлки 2"}}, {rooms, "ёлки3", nil}, {rooms, "wlal", []string{"Wall·E night"}},
		{rooms, "wxyl", nil}, {rooms, "nihgt", []string{"Wall·E night"}},
		{rooms, "ame\u0301lie wall", []string{"Wall·E night"}},
		{rooms, "amelie café spiderman wall", []string{"Wall·E night"}}, {rooms, "🎬", nil},
		{anyRooms, "faceoff", []string{"Face/Off & friends"}}, {anyRooms, "night walle", []string{"Wall·E night"}},
		{anyRooms, "secret", []string{"Archived, secret"}}, {rooms, "secret", nil},
		{users, "zoe", []string{"zoe.smith"}}, {users, "zoesmith", []string{"zoe.smith"}},
		{users, "muller", []string{"zoe.smith"}},
		{users, "MUELLER", []string{"zoe.smith"}}, {users, "andreb", []string{"andre_b"}},
		{users, "andre b", []string{"andre_b"}},
		{users, "tom tom", []string{"Tom-Tom"}}, {users, "侍", []string{"Tom-Tom"}}, {users, "andrd", []string{"andre_b"}},
		{users, "Tom-Tom@ex", []string{"Tom-Tom"}}, {users, "%@", nil}, {users, "_", nil}, {users, "nobody", nil},
		{genres, "Sci Fi", []string{"sci-fi"}}, {genres, "SCIFI", []string{"sci-fi"}}, {genres, "sci", nil},
		{genres, "Komodie", []string{"sci-fi"}},
		{genres, "komoedie", []string{"sci-fi"}}, {genres, "Film-Noir", []string{"film noir"}}, {genres, "侍", []string{"侍"}},
		{genres, "🎃", []string{"🎃"}}, {genres, "???", []string{"???"}}, {genres, "!", nil},
	} {
		require.Equal(t, test.want, append([]string(nil), test.list(test.typed)...), "%q", test.typed)
	}
}

// TestSearchPages: the pages of a search are its whole, each row once, also when the row that a page ended with is
// gone.
func TestSearchPages(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	for _, name := range []string{
		"night", "Night", "night one", "night two", "one night", "two night", "nights", "a nightly", "day", "day",
		"two night three", "nightnight", "Night",
	} {
		newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Name, n.Description = name, "every night" })
	}
	for _, typed := range []string{"night", "nig", "two night", "nigth", "day", "every"} {
		list := func(p Page) ([]watchparty.Room, error) {
			return s.Rooms(t.Context(), watchparty.RoomFilter{Search: typed}, p)
		}
		id := func(r watchparty.Room) string { return r.ID }
		whole := pages(t, 100, list, id)
		require.NotEmpty(t, whole, typed)
		for limit := range 5 {
			require.Equal(t, whole, pages(t, limit+1, list, id), "%q by %d", typed, limit+1)
		}
	}
	search := watchparty.RoomFilter{Search: "night"}
	all, err := s.Rooms(t.Context(), search, Page{Limit: 100})
	require.NoError(t, err)
	for i, last := range all[:len(all)-1] {
		execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", last.ID)
		rest, err := s.Rooms(t.Context(), search, Page{Limit: 100, After: SearchKeys(last.Rank, last.ID)})
		require.NoError(t, err)
		require.Equal(t, all[i+1:], rest)
	}
}

// TestSearchManyRows: what more rows have than are looked through first is found in order all the same.
func TestSearchManyRows(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	execute(t, s, `INSERT INTO movies (id, title, year, runtime_minutes)
		SELECT gen_random_uuid(), CASE WHEN n % 5 = 0 THEN 'Night ' ELSE 'Day ' END || n, 1950, 90
			FROM generate_series(1, ?) AS n
		UNION ALL SELECT gen_random_uuid(), 'A much longer title about one rare night and its ' || n, 1950, 90
			FROM generate_series(1, 30) AS n
		UNION ALL SELECT gen_random_uuid(), 'Zebra ' || repeat('crossing ', n), 1950, 90
			FROM generate_series(1, 5) AS n`, 2*closest)
	execute(t, s, "ANALYZE movies")
	for typed, want := range map[string]int{"night": 2*closest/5 + 30, "ni": 2*closest/5 + 30, "zebra": 5, "rare": 30,
		"zebar": 5, "title about": 30} {
		list := func(p Page) ([]watchparty.Movie, error) {
			return s.Movies(t.Context(), watchparty.MovieFilter{Search: typed}, p)
		}
		found := pages(t, 50, list, func(m watchparty.Movie) string { return m.ID })
		require.Len(t, found, want, typed)
		slices.Sort(found)
		require.Len(t, slices.Compact(found), want, "%q: each once", typed)
	}
}

// TestSearchExactAmongMany: of more rows than are sorted, the closest is the first all the same.
func TestSearchExactAmongMany(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	execute(t, s, `INSERT INTO movies (id, title, year, runtime_minutes)
		SELECT gen_random_uuid(), 'Day ' || n, 1950, 90 FROM generate_series(1, ?0) AS n
		UNION ALL SELECT gen_random_uuid(), 'Some movie night with friends ' || n, 1950, 90 FROM generate_series(1, ?1) AS n
		UNION ALL SELECT gen_random_uuid(), 'Movie nights with friends', 1950, 90
		UNION ALL SELECT gen_random_uuid(), 'Movie night with friends', 1950, 90`, closest, mostPicked+100)
	execute(t, s, "ANALYZE movies")
	for typed, want := range map[string]string{"movie night with friends": "Movie night with friends",
		"movie nig": "Movie night with friends", "movie nights": "Movie nights with friends"} {
		found, err := s.Movies(t.Context(), watchparty.MovieFilter{Search: typed}, Page{Limit: 10})
		require.NoError(t, err)
		require.NotEmpty(t, found)
		require.Equal(t, want, found[0].Title, typed)
	}
}

// TestSearchLocales: search is the same in a database whose letters are ASCII's.
func TestSearchLocales(t *testing.T) {
	t.Parallel()
	base := stacktest.DatabaseURL(t)
	s := openStoreAt(t, base)
	name := "search_" + strings.ToLower(rand.Text())
	execute(t, s, "CREATE DATABASE ? TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", bun.Ident(name))
	t.Cleanup(func() {
		_, err := s.db.NewRaw("DROP DATABASE ? WITH (FORCE)", bun.Ident(name)).Exec(context.WithoutCancel(t.Context()))
		require.NoError(t, err)
	})
	address, err := url.Parse(base)
	require.NoError(t, err)
	address.Path, address.RawQuery = "/"+name, "sslmode=disable"
	c := openStoreAt(t, address.String())
	_, err = migrations.Up(t.Context(), c.DB())
	require.NoError(t, err)
	require.Equal(t, "C", readValue[string](t, c, "SELECT datctype FROM pg_database WHERE datname = current_database()"))
	searchCatalogue(t, c)
}

// FuzzSearch: nothing that anyone types is an error of Postgres.
func FuzzSearch(f *testing.F) {
	for _, text := range []string{
		"the thin man", "", "'", "''", `\`, `'\''`, `\'`, "a:*", "a & b | !c", "a <-> b", "(", ")", "()", "a <2> b", ":*",
		"a'b\\c", "🎬 a",
		"e\u0301", "\u202ea", "\x00", "\xff\xc0\x80", "<b>a</b>", "&amp;", "http://a.b/c?d=e", "a@b.c", "1e400", "-1.5e-9",
		"½ ² Ⅷ", "ﷺ",
		"a\u00a0b", "'; DROP TABLE movies; --", strings.Repeat("a", 3000), strings.Repeat("é ", 2000),
		strings.Repeat("'a", 300), strings.Repeat("侍", 100),
		strings.Repeat("a-", 50), strings.Repeat("ü", 100), "/a/b/c", "$$", "?0", "?", "%s", "a\u2028b", "\u00ad", "ʼ",
		"'a':B", "a:ABCD*", "& &", "+ + a &", "侍a侍",
		"\ue000", "\U000f0000", "ㅎ", "\u3099", "{}", `{"a"}`, "NULL",
	} {
		f.Add(text)
	}
	s := openStore(f)
	_, err := s.db.NewRaw("INSERT INTO movies (id, title, year, runtime_minutes) " +
		"SELECT gen_random_uuid(), 'The Thin Man ' || n, 1934, 90 FROM generate_series(1, 30) AS n").
		Exec(f.Context())
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		_, err := s.Movies(t.Context(), watchparty.MovieFilter{Search: text,
			Genre: strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")}, Page{Limit: 10})
		require.NoError(t, err, "%q", text)
		execute(t, s, "UPDATE movies SET description = ? WHERE title = 'The Thin Man 1'",
			strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", ""))
	})
}
