package e2e

import (
	"fmt"
	"html"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	temporal "go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/demo"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
)

// devSystem is `watchparty dev` in a folder of its own, as a newcomer starts it.
type devSystem struct {
	*process
	dir      string
	environ  []string
	settings map[string]string // what dev keeps for the other commands
	client   client
	inboxURL string
}

// startDev starts dev in dir, with ports that nobody uses.
func startDev(t *testing.T, dir string, offset int) *devSystem {
	t.Helper()
	d := &devSystem{dir: dir, environ: append(bareEnvironment(t),
		"DEV_PORT_OFFSET="+strconv.Itoa(offset), "LOG_LEVEL=debug", clockSkew+"=-20m")}
	began := time.Now()
	d.process = start(t, dir, d.environ, "dev")
	t.Cleanup(func() { d.stop(t) }) // in order, for killing it would leave its servers behind
	eventually(t, func(c *assert.CollectT) {
		select {
		case <-d.done:
			require.FailNow(t, "dev has ended", d.out.String())
		default:
		}
		assert.Contains(c, d.out.String(), "WatchParty is ready")
	}, "dev is ready")
	t.Logf("dev was ready after %s", time.Since(began).Round(10*time.Millisecond))
	var err error
	d.settings, err = godotenv.Read(filepath.Join(dir, ".watchparty", "offset-"+strconv.Itoa(offset), "dev.env"))
	require.NoError(t, err)
	d.client = client{base: d.settings["PUBLIC_URL"] + "/api"}
	d.inboxURL = fmt.Sprintf("http://127.0.0.1:%d", 8025+offset)
	return d
}

// devPorts are those that dev uses, before the offset.
var devPorts = []int{1025, 5000, 7233, 8025, 8233, 9090, 9091, 9092, 15432, 16379}

// freeOffset finds an offset at which all of dev's ports are free. The ports are below those that other tests pick for
// their servers, which may not listen yet, or not at the moment.
func freeOffset(t *testing.T) int {
	t.Helper()
	for range 100 {
		offset := 1000 + rand.IntN(2600)
		if allFree(offset) {
			return offset
		}
	}
	require.FailNow(t, "no free ports")
	return 0
}

// unsafePorts are those of dev's that Chromium does not open.
var unsafePorts = []int{6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}

func allFree(offset int) bool {
	for _, port := range devPorts {
		if slices.Contains(unsafePorts, port+offset) {
			return false
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+offset)))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

// TestWholeFlow is the product's main job, from `watchparty dev` to the histories that it leaves.
//
// The clock of the program is 20 minutes slow. In most other tests of this package it is as much fast.
func TestWholeFlow(t *testing.T) {
	t.Parallel()
	offset := freeOffset(t)
	d := startDev(t, sharedDir(t), offset)
	cfg, err := config.Load(append(bareEnvironment(t), pairs(d.settings)...))
	require.NoError(t, err)
	db, err := store.Open(cfg.Database, auth.NewDigests(cfg.Auth.Secret))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	f := &flow{devSystem: d, db: db, browser: startBrowser(t), temporal: dialTemporal(t, d.settings["TEMPORAL_ADDRESS"])}

	for _, step := range []struct {
		name string
		run  func(*flow, *testing.T)
	}{
		{"health", (*flow).health},
		{"sign up", (*flow).signUp},
		{"welcome email", (*flow).welcomeEmail},
		{"address confirmed", (*flow).addressConfirmed},
		{"sign in and out", (*flow).signInAndOut},
		{"password forgotten", (*flow).passwordForgotten},
		{"address changed", (*flow).addressChanged},
		{"catalogue from the cache", (*flow).catalogue},
		{"rooms and chat", (*flow).roomsAndChat},
		{"private room", (*flow).privateRoom},
		{"invited", (*flow).invited},
		{"account deleted", (*flow).accountDeleted},
		{"installed client", (*flow).installedClient},
		{"client in a browser", (*flow).clientInABrowser},
		{"avatar", (*flow).avatar},
		{"second avatar", (*flow).secondAvatar},
		{"avatar taken back", (*flow).avatarTakenBack},
		{"no picture", (*flow).noPicture},
		{"admin granted by command", (*flow).grantAdmin},
		{"email sent again", (*flow).emailSentAgain},
		{"clean-up while the schedule is paused", (*flow).cleanup},
		{"activity report", (*flow).activityReport},
		{"histories and log are safe to show", (*flow).nothingLeaks},
		{"pages", (*flow).pages},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(f, t) }) {
			return // the steps build on each other
		}
	}

	t.Run("data survive kill -9", func(t *testing.T) {
		d.kill()
		again := startDev(t, d.dir, offset)
		me := again.client.login(t, f.carol.account.User.Email, password).get(t, "/users/me")
		require.Equal(t, f.carol.account.User.ID, me.data(t)["id"])
		requirePicture(t, me.data(t)["avatar"].(map[string]any)["medium"].(string), 512)

		require.NoError(t, again.cmd.Process.Signal(syscall.SIGINT))
		require.Equal(t, 0, again.wait(t), again.out.String())
		require.True(t, allFree(offset), "ctrl-C leaves nothing running")
	})
}

func pairs(vars map[string]string) []string {
	out := make([]string, 0, len(vars))
	for name, value := range vars {
		out = append(out, name+"="+value)
	}
	return out
}

// sharedDir is a temporary folder that the user postgres may pass through, as a checkout usually is.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "watchparty-e2e-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// person is an account that the flow uses.
type person struct {
	client
	account signedIn
}

type flow struct {
	*devSystem
	db         *store.Store
	browser    browser
	temporal   temporal.Client
	carol, dan person
	roomID     string
	names      []string // what must be in no history
	secrets    []string // what must be in no history and no log
}

func (f *flow) signUpAs(t *testing.T, username, displayName string) person {
	t.Helper()
	c, account := f.client.register(t, username, displayName)
	f.names = append(f.names, username, displayName)
	f.secrets = append(f.secrets, account.User.Email, password, account.AccessToken, account.RefreshToken)
	return person{client: c, account: account}
}

func (f *flow) health(t *testing.T) {
	eventually(t, func(c *assert.CollectT) {
		answer := f.client.get(c, "/health")
		require.Equal(c, http.StatusOK, answer.status, "%s", answer.body)
		got := answer.data(c)
		assert.NotEmpty(c, got["emails_sent_at"], "the demo's emails")
		delete(got, "emails_sent_at")
		assert.Equal(c, map[string]any{
			"status": "ok", "database": "connected", "redis": "connected", "temporal": "connected", "workers": "connected",
			"schedules": "connected", "bucket": "connected", "emails": "connected", "degraded": []any{},
		}, got)
	}, "everything is connected")
}

func (f *flow) signUp(t *testing.T) {
	f.carol = f.signUpAs(t, "carol.lovelace", "Carol Ω Lovelace")
	f.dan = f.signUpAs(t, "dan-the-viewer", "דן")
	me := f.carol.get(t, "/users/me").data(t)
	require.Equal(t, "Carol Ω Lovelace", me["display_name"])
	requireGenerated(t, me)
}

func (f *flow) welcomeEmail(t *testing.T) {
	address := f.carol.account.User.Email
	var id string
	eventually(t, func(c *assert.CollectT) {
		for _, m := range readInbox(c, f.inboxURL).Messages {
			if m.To[0].Address == address {
				id = m.ID
			}
		}
		require.NotEmpty(c, id)
	}, "the email has come")
	require.Equal(t, 1, readInbox(t, f.inboxURL).counted()[address])
	email := fetch(t, f.inboxURL+"/api/v1/message/"+id).object(t)
	for _, part := range []string{"HTML", "Text"} {
		require.Contains(t, email[part], "Carol Ω Lovelace")
		require.Contains(t, email[part], f.settings["PUBLIC_URL"])
	}
}

func (f *flow) signInAndOut(t *testing.T) {
	refresh := map[string]string{"refresh_token": f.dan.account.RefreshToken}
	got := f.client.post(t, "/auth/refresh", refresh)
	require.Equal(t, http.StatusOK, got.status)
	next := got.signIn(t)
	f.secrets = append(f.secrets, next.AccessToken, next.RefreshToken)
	require.NotEqual(t, f.dan.account.RefreshToken, next.RefreshToken)
	require.Equal(t, http.StatusNoContent,
		f.client.post(t, "/auth/logout", map[string]string{"refresh_token": next.RefreshToken}).status)
	require.Equal(t, http.StatusUnauthorized,
		f.client.post(t, "/auth/refresh", map[string]string{"refresh_token": next.RefreshToken}).status)
	f.dan.client = f.client.login(t, strings.ToUpper(f.dan.account.User.Email), password)
	f.secrets = append(f.secrets, f.dan.token)
}

func (f *flow) catalogue(t *testing.T) {
	first := f.client.get(t, "/movies?limit=100")
	movies, err := demo.Movies("")
	require.NoError(t, err)
	require.Len(t, first.list(t), len(movies))
	var second answer
	eventually(t, func(c *assert.CollectT) { // a busy process may just have lost its lease
		second = f.client.get(c, "/movies?limit=100")
		require.Equal(c, "HIT", second.header.Get("X-Cache"))
	}, "the cache answers")
	require.Equal(t, true, second.object(t)["_cached"])
	require.Equal(t, first.list(t), second.list(t))
	request, err := http.NewRequest(http.MethodGet, f.client.base+"/movies?limit=100", nil)
	require.NoError(t, err)
	request.Header.Set("If-None-Match", second.header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, f.client.send(t, request).status)
	f.awaitLine(t, "Cache MISS")
	f.awaitLine(t, "Cache HIT")
}

func (f *flow) roomsAndChat(t *testing.T) {
	movie := f.client.get(t, "/movies?limit=1").list(t)[0].(map[string]any)
	got := f.carol.post(t, "/rooms", map[string]any{"name": "Silent Sunday", "movie_id": movie["id"], "capacity": 2})
	require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
	f.roomID = got.data(t)["id"].(string)
	require.Equal(t, f.roomID, f.client.get(t, "/rooms").list(t)[0].(map[string]any)["id"])

	said := map[string]any{"room_id": f.roomID, "body": "The projector hums 🎬 שלום"}
	f.names = append(f.names, "Silent Sunday")
	f.secrets = append(f.secrets, said["body"].(string))
	require.Equal(t, http.StatusForbidden, f.dan.post(t, "/chat/messages", said).status)
	require.Equal(t, http.StatusOK, f.dan.post(t, "/rooms/"+f.roomID+"/join", nil).status)
	require.EqualValues(t, 2, f.client.get(t, "/rooms/"+f.roomID).data(t)["participants"])
	eve := f.signUpAs(t, "eve.dropper", "Evelyn Dropper")
	require.Equal(t, http.StatusConflict, eve.post(t, "/rooms/"+f.roomID+"/join", nil).status, "the room is full")

	messages := "/chat/messages?room_id=" + f.roomID
	require.Empty(t, f.client.get(t, messages).list(t))
	require.Equal(t, http.StatusCreated, f.dan.post(t, "/chat/messages", said).status)
	heard := f.client.get(t, messages).list(t)
	require.Len(t, heard, 1, "the cached empty list is void")
	require.Equal(t, said["body"], heard[0].(map[string]any)["body"])
	require.Equal(t, http.StatusNoContent, f.dan.post(t, "/rooms/"+f.roomID+"/leave", nil).status)
	require.Len(t, f.client.get(t, "/rooms/"+f.roomID+"/participants").list(t), 1)
}

func (f *flow) privateRoom(t *testing.T) {
	room := f.carol.post(t, "/rooms", map[string]any{"name": "hidden", "visibility": "private"}).data(t)
	for _, path := range []string{
		"/rooms/" + room["id"].(string), "/rooms/" + room["id"].(string) + "/participants",
		"/chat/messages?room_id=" + room["id"].(string),
	} {
		require.Equal(t, http.StatusOK, f.carol.get(t, path).status, path)
		require.Equal(t, http.StatusNotFound, f.dan.get(t, path).status, path)
		require.Equal(t, http.StatusNotFound, f.client.get(t, path).status, path)
	}
	require.Equal(t, http.StatusNotFound, f.dan.post(t, "/rooms/"+room["id"].(string)+"/join", nil).status)
}

func (f *flow) grantAdmin(t *testing.T) {
	require.Equal(t, http.StatusForbidden, f.carol.get(t, "/admin/reports").status)
	cmd := exec.Command(binary, "admin", "grant", f.carol.account.User.Email)
	cmd.Dir, cmd.Env = f.dir, f.environ
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, http.StatusOK, f.carol.get(t, "/admin/reports").status)
}

// emailSentAgain: an admin finds an email and sends it once more, as another one.
func (f *flow) emailSentAgain(t *testing.T) {
	address := f.dan.account.User.Email
	before := readInbox(t, f.inboxURL).counted()[address]
	emails := f.carol.get(t, "/admin/emails?kind=welcome&state=sent&user_id="+f.dan.account.User.ID).list(t)
	require.Len(t, emails, 1)
	again := f.carol.post(t, "/admin/emails/"+emails[0].(map[string]any)["id"].(string)+"/resend", nil)
	require.Equal(t, http.StatusCreated, again.status, "%s", again.body)
	path := "/admin/emails/" + again.data(t)["id"].(string)
	eventually(t, func(c *assert.CollectT) {
		email := f.carol.get(c, path).data(c)
		require.Equal(c, "sent", email["state"])
		require.Len(c, email["history"], 1)
	}, "it is sent")
	require.Equal(t, before+1, readInbox(t, f.inboxURL).counted()[address])
}

func (f *flow) cleanup(t *testing.T) {
	ctx := t.Context()
	schedule := f.temporal.ScheduleClient().GetHandle(ctx, "cleanup")
	eventually(t, func(c *assert.CollectT) {
		require.NoError(c, schedule.Pause(ctx, temporal.SchedulePauseOptions{Note: "paused by an operator"}))
	}, "there is a schedule")

	schedules := f.carol.get(t, "/admin/schedules").list(t)
	require.Len(t, schedules, 3)
	seen := schedules[0].(map[string]any)
	require.Equal(t, []any{true, "paused by an operator"}, []any{seen["paused"], seen["note"]})
	require.Len(t, seen["next_runs"], 10)

	idle := f.carol.post(t, "/rooms", map[string]any{"name": "forgotten"}).data(t)["id"].(string)
	f.exec(t,
		"UPDATE rooms SET updated_at = now() - interval '31 days', last_active_at = now() - interval '31 days' WHERE id = ?",
		idle)
	f.exec(t, "UPDATE participants SET last_seen_at = now() - interval '31 days' WHERE room_id = ?", idle)
	f.exec(t, "UPDATE messages SET created_at = now() - interval '91 days' WHERE room_id = ?", f.roomID)
	require.Len(t, f.client.get(t, "/chat/messages?room_id="+f.roomID).list(t), 1)

	// The file of an upload that was never committed.
	files, err := url.Parse(f.settings["BLOB_URL"])
	require.NoError(t, err)
	orphan := filepath.Join(files.Path, "uploads", "01890000-0000-7000-8000-00000000dead", "1")
	require.NoError(t, os.MkdirAll(filepath.Dir(orphan), 0o755))
	require.NoError(t, os.WriteFile(orphan, []byte("half"), 0o644))
	twoDaysAgo := time.Now().Add(-48 * time.Hour)
	require.NoError(t, os.Chtimes(orphan, twoDaysAgo, twoDaysAgo))

	got := f.carol.post(t, "/admin/cleanup", nil)
	require.Equal(t, http.StatusAccepted, got.status, "%s", got.body)
	promised := got.data(t)
	path := strings.TrimPrefix(promised["status_url"].(string), f.client.base)
	eventually(t, func(c *assert.CollectT) {
		require.Equal(c, "completed", f.carol.get(c, path).data(c)["state"])
	}, "the run has completed")
	counts := f.carol.get(t, path).data(t)["counts"].(map[string]any)
	for _, policy := range []string{"inactive_participants", "old_messages", "inactive_rooms", "orphaned_files"} {
		require.EqualValues(t, 1, counts[policy], policy)
	}
	report := f.carol.get(t, "/admin/reports?kind=cleanup").list(t)[0].(map[string]any)
	require.Equal(t, promised["run_id"], report["run_id"])
	require.Equal(t, counts, report["data"].(map[string]any)["counts"])

	require.NoFileExists(t, orphan)
	require.Empty(
		t, f.client.get(t, "/chat/messages?room_id="+f.roomID).list(t), "cached lists of what was removed are void",
	)
	require.Equal(t, "archived", f.client.get(t, "/rooms/"+idle).data(t)["state"])
	require.NotContains(t, string(f.client.get(t, "/rooms").body), idle)
}

// activityReport follows the email about the last week, in which the people of the demo have met.
func (f *flow) activityReport(t *testing.T) {
	stacktest.AwayFromMidnight(t)
	from, _ := watchparty.ReportWeek.Last(time.Now())
	got := f.carol.post(t, "/admin/schedules/activity-report-weekly/trigger", nil)
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	var report map[string]any
	eventually(t, func(c *assert.CollectT) {
		reports := f.carol.get(c, "/admin/reports?kind=activity").list(c)
		at := slices.IndexFunc(reports, func(r any) bool {
			data := r.(map[string]any)["data"].(map[string]any)
			return data["every"] == "week" && data["from"] == string(from)
		})
		require.NotEqual(c, -1, at, "%v", reports)
		report = reports[at].(map[string]any)
	}, "the report is there")
	figures := report["data"].(map[string]any)["figures"].(map[string]any)
	require.EqualValues(t, 2, figures["active_users"])
	minutes := figures["minutes_together"].(float64)
	require.Greater(t, minutes, 60.)

	link := report["page_url"].(string)
	_, token, _ := strings.Cut(link, "#token=")
	f.secrets = append(f.secrets, token)
	eventually(t, func(c *assert.CollectT) {
		for _, m := range readInbox(c, f.inboxURL).Messages {
			if m.To[0].Address == demo.Admin && strings.HasPrefix(m.Subject, "WatchParty, ") {
				shown := fetch(c, f.inboxURL+"/api/v1/message/"+m.ID).object(c)["HTML"].(string)
				if strings.Contains(html.UnescapeString(shown), link) {
					return
				}
			}
		}
		require.Fail(c, "no email yet")
	}, "the report's email")
	p := f.browser.open(t, link)
	p.requireShows(t, "How WatchParty was used")
	p.requireShows(t, fmt.Sprintf("%.1f", minutes/60))
	p.picture(t, "activity-report")
}

func (f *flow) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	result, err := f.db.DB().ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
	n, err := result.RowsAffected()
	require.NoError(t, err)
	require.EqualValues(t, 1, n, statement)
}

// nothingLeaks searches the bytes of all histories, and the program's log at its most talkative, for what people have
// entrusted to it.
func (f *flow) nothingLeaks(t *testing.T) {
	kinds := map[string]int{}
	for _, h := range histories(t, f.temporal, f.started(t)) {
		kinds[h.kind]++
		h.requireNone(t, "@people.example")
		h.requireNone(t, slices.Concat(f.secrets, f.names)...)
	}
	require.GreaterOrEqual(t, kinds["WelcomeEmail"], 3)
	require.GreaterOrEqual(t, kinds["ProcessAvatar"], 3)
	require.GreaterOrEqual(t, kinds["Cleanup"], 1)
	require.GreaterOrEqual(t, kinds["PasswordResetEmail"], 2, "one of them for an address that nobody has")
	require.GreaterOrEqual(t, kinds["RoomInvitation"], 1)
	require.GreaterOrEqual(t, kinds["DeleteAccount"], 1)
	require.GreaterOrEqual(t, kinds["VerificationEmail"], 1)
	require.GreaterOrEqual(t, kinds["EmailChangedNotice"], 1)
	require.GreaterOrEqual(t, kinds["Resend"], 1)
	require.GreaterOrEqual(t, kinds["ActivityReport"], 1)
	require.GreaterOrEqual(t, kinds["ReportEmail"], 1)
	for _, secret := range f.secrets {
		require.False(t, strings.Contains(f.out.String(), secret), "the log holds %q", secret)
	}
}

// started is how many workflows the outbox has started; the schedule's come on top.
func (f *flow) started(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t,
		f.db.DB().NewRaw("SELECT count(DISTINCT workflow_id) FROM outbox WHERE state = 'started'").Scan(t.Context(), &n))
	return n
}
