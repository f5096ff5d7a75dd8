package job_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

var invitation = job.RoomInvitationInput{
	InvitationID: "i1",
	EmailID:      "e1",
	ExpiresAt:    time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
}

var party = job.PartyInput{PartyID: "p1", Moves: 3, StartsAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}

func TestEvents(t *testing.T) {
	avatar := job.AvatarInput{UserID: "u1", Version: 7}
	cleanup := job.CleanupInput{RunID: "r1", Policies: []watchparty.Policy{watchparty.PolicyRooms}, DryRun: true}
	cases := map[string]struct{ got, want job.Event }{
		"welcome email": {job.WelcomeEmailEvent("u1", "e1"), job.Event{
			WorkflowID: "welcome-email/u1", Workflow: "WelcomeEmail", TaskQueue: "email",
			Summary: "Welcome email", Input: job.EmailInput{EmailID: "e1"}, Priority: watchparty.PrioritySoon,
		}},
		"verification": {job.VerificationEmailEvent("v1", "e1"), job.Event{
			WorkflowID: "email-verification/v1", Workflow: "VerificationEmail", TaskQueue: "email",
			Summary: "Email that confirms an address", Input: job.EmailInput{EmailID: "e1"},
			Priority: watchparty.PriorityAwaited,
		}},
		"reset": {job.PasswordResetEvent("r1", "e1"), job.Event{
			WorkflowID: "password-reset/r1", Workflow: "PasswordResetEmail", TaskQueue: "email",
			Summary: "Password reset email", Input: job.EmailInput{EmailID: "e1"}, Priority: watchparty.PriorityAwaited,
		}},
		"notice of a password": {job.PasswordChangedEvent("c1", "e1"), job.Event{
			WorkflowID: "password-changed/c1", Workflow: "PasswordChangedNotice", TaskQueue: "email",
			Summary: "Notice of a new password", Input: job.EmailInput{EmailID: "e1"}, Priority: watchparty.PrioritySoon,
		}},
		"notice": {job.EmailChangedEvent("v1", "e1"), job.Event{
			WorkflowID: "email-changed/v1", Workflow: "EmailChangedNotice", TaskQueue: "email",
			Summary: "Notice to a former address", Input: job.EmailInput{EmailID: "e1"}, Priority: watchparty.PrioritySoon,
		}},
		"resend": {job.ResendEvent("e2"), job.Event{
			WorkflowID: "resend/e2", Workflow: "Resend", TaskQueue: "email",
			Summary: "Email that an admin sends again", Input: job.EmailInput{EmailID: "e2"},
			Priority: watchparty.PriorityAwaited,
		}},
		"deletion": {job.AccountDeletionEvent("u1"), job.Event{
			WorkflowID: "account-deletion/u1", Workflow: "DeleteAccount", TaskQueue: "maintenance",
			Summary: "Deletion of an account", Input: job.AccountInput{UserID: "u1"}, UserID: "u1",
		}},
		"room invitation": {job.RoomInvitationEvent(invitation), job.Event{
			WorkflowID: "room-invitation/i1", Workflow: "RoomInvitation", TaskQueue: "email",
			Summary: "Room invitation", Input: invitation, Priority: watchparty.PriorityNormal,
		}},
		"answer": {job.InvitationAnswerEvent(invitation, watchparty.InvitationDeclined), job.Event{
			WorkflowID: "room-invitation/i1", Signal: "declined", Workflow: "RoomInvitation", TaskQueue: "email",
			Summary: "Room invitation", Input: invitation, Priority: watchparty.PriorityNormal,
		}},
		"party": {job.ScheduledPartyEvent(party), job.Event{
			WorkflowID: "scheduled-party/p1", Workflow: "ScheduledParty", TaskQueue: "email", Summary: "Scheduled party",
			Input: party,
		}},
		"party that was moved": {job.PartyChangedEvent(party), job.Event{
			WorkflowID: "scheduled-party/p1", Signal: "changed/3", Workflow: "ScheduledParty", TaskQueue: "email",
			Summary: "Scheduled party", Input: job.PartyInput{PartyID: "p1", StartsAt: party.StartsAt},
		}},
		"email about a party": {job.PartyEmailEvent(watchparty.EmailPartyReminder, "n1", "e1"), job.Event{
			WorkflowID: "party-email/n1", Workflow: "PartyEmail", TaskQueue: "email", Summary: "Email about a party",
			Input: job.EmailInput{EmailID: "e1"}, Priority: watchparty.PrioritySoon,
		}},
		"avatar": {job.AvatarEvent(avatar), job.Event{
			WorkflowID: "avatar/u1/7", Workflow: "ProcessAvatar", TaskQueue: "avatar",
			Summary: "Avatar version 7", Input: avatar, UserID: "u1",
		}},
		"webhook": {job.WebhookDeliveryEvent("d1", 2), job.Event{
			WorkflowID: "webhook-delivery/d1/2", Workflow: "WebhookDelivery", TaskQueue: "webhooks",
			Summary: "Delivery to a webhook", Input: job.WebhookInput{DeliveryID: "d1", Round: 2},
			Priority: watchparty.PriorityBackground,
		}},
		"email with a report": {job.ReportEmailEvent("m1", "e1"), job.Event{
			WorkflowID: "activity-report-email/m1", Workflow: "ReportEmail", TaskQueue: "email",
			Summary: "Activity report email", Input: job.EmailInput{EmailID: "e1"}, Priority: watchparty.PriorityBackground,
		}},
		"deletion once more": {job.RepeatedAccountDeletionEvent("u1", 2), job.Event{
			WorkflowID: "account-deletion/u1/2", Workflow: "DeleteAccount", TaskQueue: "maintenance",
			Summary: "Deletion of an account", Input: job.AccountInput{UserID: "u1"}, UserID: "u1",
		}},
		"clean-up": {job.CleanupEvent(cleanup), job.Event{
			WorkflowID: "cleanup/r1", Workflow: "Cleanup", TaskQueue: "maintenance",
			Summary: "Clean-up on demand", Input: cleanup,
		}},
	}
	started := map[string]bool{job.WorkflowActivityReport: true} // by schedules
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, c.got) })
		started[c.want.Workflow] = true
	}
	for _, workflow := range job.WorkflowTypes() {
		require.True(t, started[workflow], "%s has no event here", workflow)
	}
}

func TestIDs(t *testing.T) {
	require.Equal(t, job.WelcomeEmailEvent("u1", "e1").WorkflowID, job.WelcomeEmailID("u1"))
	require.Equal(t, job.CleanupEvent(job.CleanupInput{RunID: "r1"}).WorkflowID, job.CleanupID("r1"))
}

func TestQueues(t *testing.T) {
	require.Equal(t, []string{"email", "avatar", "maintenance", "webhooks"}, job.ServableTaskQueues())
}

// What is in histories and in the outbox outlives the program that wrote it, so the names must stay; and it is shown
// to operators, so a field that is added here has to be an identifier, a code, a time, a count or a text of the
// program's own.
func TestEncoding(t *testing.T) {
	untested := recordedTypes(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	avatar := job.AvatarInput{UserID: "u1", Version: 7}
	for _, c := range []struct {
		value any
		want  string
	}{
		{job.EmailInput{EmailID: "e1"}, `{"email_id":"e1"}`},
		{invitation, `{"invitation_id":"i1","email_id":"e1","expires_at":"2026-01-02T03:04:05Z"}`},
		{job.RoomInvitationResult{State: watchparty.InvitationExpired, Reminder: watchparty.EmailSent},
			`{"state":"expired","reminder":"sent"}`},
		{job.QueueReminderResult{}, `{}`},
		{job.QueueReminderResult{EmailID: "e2"}, `{"email_id":"e2"}`},
		{job.ExpireInvitationResult{State: watchparty.InvitationExpired}, `{"state":"expired"}`},
		{job.EmailResult{State: watchparty.EmailSent}, `{"state":"sent"}`},
		{job.EmailResult{State: watchparty.EmailCancelled}, `{"state":"cancelled"}`},
		{job.WebhookInput{DeliveryID: "d1", Round: 2}, `{"delivery_id":"d1","round":2}`},
		{job.WebhookResult{State: watchparty.WebhookFailed, Attempts: 11}, `{"state":"failed","attempts":11}`},
		{job.AccountInput{UserID: "u1"}, `{"user_id":"u1"}`},
		{job.AccountResult{Messages: 7}, `{"messages":7}`},
		{avatar, `{"user_id":"u1","version":7}`},
		{job.AvatarResult{State: watchparty.AvatarReady}, `{"state":"ready"}`},
		{job.AvatarResult{State: watchparty.AvatarFailed, Reason: "avatar_unreadable"},
			`{"state":"failed","reason":"avatar_unreadable"}`},
		{job.FailAvatarInput{AvatarInput: avatar, Reason: "The picture is damaged."},
			`{"user_id":"u1","version":7,"reason":"The picture is damaged."}`},
		{job.AvatarProgress{Step: watchparty.AvatarRendering, Crashes: 2}, `{"step":"rendering","crashes":2}`},
		{job.PublishResult{State: watchparty.AvatarSuperseded}, `{"state":"superseded"}`},
		{job.CleanupInput{}, `{}`},
		{
			job.CleanupInput{RunID: "r1", Policies: []watchparty.Policy{watchparty.PolicyMessages}, DryRun: true,
				OlderThan: 3600},
			`{"run_id":"r1","policies":["old_messages"],"dry_run":true,"older_than_s":3600}`,
		},
		{
			job.BeginCleanupResult{
				Policies:   []watchparty.Policy{watchparty.PolicyRooms},
				Thresholds: map[watchparty.Policy]time.Time{watchparty.PolicyRooms: at},
			},
			`{"policies":["inactive_rooms"],"thresholds":{"inactive_rooms":"2026-01-02T03:04:05Z"}}`,
		},
		{
			job.ApplyPolicyInput{RunID: "r1", Policy: watchparty.PolicyRooms, Threshold: at, DryRun: true},
			`{"run_id":"r1","policy":"inactive_rooms","threshold":"2026-01-02T03:04:05Z","dry_run":true}`,
		},
		{
			job.FinishCleanupInput{RunID: "r1", Failed: map[watchparty.Policy]string{watchparty.PolicyRooms: "given up"}},
			`{"run_id":"r1","failed":{"inactive_rooms":"given up"}}`,
		},
		{job.FinishCleanupInput{RunID: "r1", Cancelled: true}, `{"run_id":"r1","cancelled":true}`},
		{
			job.CleanupProgress{Policy: "a", Done: []watchparty.Policy{"b"}, Failed: []watchparty.Policy{"c"}},
			`{"policy":"a","done":["b"],"failed":["c"]}`,
		},
		{
			job.CleanupResult{RunID: "r1", Counts: map[watchparty.Policy]int64{watchparty.PolicyRooms: 4},
				Failed: []watchparty.Policy{watchparty.PolicyRooms}},
			`{"run_id":"r1","counts":{"inactive_rooms":4},"failed":["inactive_rooms"]}`,
		},
		{job.TallyResult{Days: 3}, `{"days":3}`},
		{
			job.CreateReportInput{Every: watchparty.ReportWeek, From: "2026-01-05", To: "2026-01-11"},
			`{"every":"week","from":"2026-01-05","to":"2026-01-11"}`,
		},
		{job.QueueReportEmailsInput{ReportID: "r2"}, `{"report_id":"r2"}`},
		{job.ReportInput{Every: watchparty.ReportMonth}, `{"every":"month"}`},
		{job.ReportInput{Every: watchparty.ReportMonth, At: at}, `{"every":"month","at":"2026-01-02T03:04:05Z"}`},
		{job.ReportResult{ReportID: "r2", Emails: 2}, `{"report_id":"r2","mails":2}`},
		{
			job.PartyInput{PartyID: "p1", Moves: 2, StartsAt: at},
			`{"party_id":"p1","moves":2,"starts_at":"2026-01-02T03:04:05Z"}`,
		},
		{job.PartyResult{State: watchparty.PartyStarted}, `{"state":"started"}`},
		{
			job.PartyNoticesInput{PartyID: "p1", Kind: watchparty.NoticeDay, Moves: 2},
			`{"party_id":"p1","kind":"day","moves":2}`,
		},
		{job.PartyNoticesResult{Emails: 4}, `{"emails":4}`},
	} {
		encoded, err := json.Marshal(c.value)
		require.NoError(t, err)
		require.Equal(t, c.want, string(encoded), "%T", c.value)
		delete(untested, reflect.TypeOf(c.value).Name())
	}
	require.Empty(t, untested, "add them to this table")
}

// recordedTypes are the names of the package's structs that histories have.
func recordedTypes(t *testing.T) map[string]bool {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	declaration := regexp.MustCompile(`(?m)^type (\w+(?:Input|Result|Progress)) struct`)
	names := map[string]bool{}
	for _, source := range sources {
		content, err := os.ReadFile(source)
		require.NoError(t, err)
		for _, found := range declaration.FindAllStringSubmatch(string(content), -1) {
			names[found[1]] = true
		}
	}
	require.NotEmpty(t, names)
	return names
}
