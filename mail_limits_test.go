package watchparty_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// A new kind of email fails here until mailRules says what it counts against and goes before.
func TestEveryKindOfMailHasARule(t *testing.T) {
	for _, kind := range watchparty.MailKinds() {
		rule, known := kind.Rule()
		require.True(t, known, kind)
		require.NotEmpty(t, rule.Recipient, kind)
		require.NotZero(t, rule.Priority, kind)
		require.Equal(t, rule.Asker != "", rule.Client == watchparty.BudgetClient, "%s: whoever asks has a client", kind)
	}
	rule, known := watchparty.MailKind("forgotten").Rule()
	require.False(t, known)
	require.Equal(t, []watchparty.MailBudget{watchparty.BudgetRecipient}, rule.Recipient)
	require.Equal(t, watchparty.PriorityNormal, rule.Priority)
}

// TestMailPriorities: what a person waits for goes before what nobody waits for.
func TestMailPriorities(t *testing.T) {
	order := [][]watchparty.MailKind{
		{watchparty.MailReset, watchparty.MailVerification},
		{watchparty.MailWelcome, watchparty.MailEmailChanged, watchparty.MailPasswordChanged},
		{watchparty.MailRoomInvitation},
		{watchparty.MailWelcomeReminder, watchparty.MailInvitationReminder, watchparty.MailActivityReport},
	}
	require.ElementsMatch(t, watchparty.MailKinds(), slices.Concat(order...))
	for i, kinds := range order {
		for _, kind := range kinds {
			rule, _ := kind.Rule()
			require.Equal(t, watchparty.Priority(i+1), rule.Priority, kind)
		}
	}
}

// TestMailKindsAreAll: a kind that is declared is listed, so that the tests of every kind see it.
func TestMailKindsAreAll(t *testing.T) {
	source, err := os.ReadFile("mail.go")
	require.NoError(t, err)
	var declared []watchparty.MailKind
	for _, found := range regexp.MustCompile(`\bMailKind += "(\w+)"`).FindAllSubmatch(source, -1) {
		declared = append(declared, watchparty.MailKind(found[1]))
	}
	require.ElementsMatch(t, declared, watchparty.MailKinds())
}

func TestMailLimits(t *testing.T) {
	for budget, want := range map[watchparty.MailBudget]watchparty.MailLimit{
		watchparty.BudgetRecipient: {Hour: 5, Day: 20}, watchparty.BudgetInvitee: {Hour: 3, Day: 10}, watchparty.BudgetNotice: {Hour: 5, Day: 20},
		watchparty.BudgetReader: {Hour: 20, Day: 20}, watchparty.BudgetAsker: {Hour: 5, Day: 20}, watchparty.BudgetInviter: {Hour: 50, Day: 100},
		watchparty.BudgetClient: {Hour: 100, Day: 400}, watchparty.BudgetReset: {Hour: 5, Day: 20}, watchparty.BudgetAccounts: {Hour: 1000, Day: 4000},
	} {
		require.Equal(t, want, budget.Limit(5), budget)
		least := budget.Limit(1)
		require.GreaterOrEqual(t, least.Hour, 1, budget)
		require.GreaterOrEqual(t, least.Day, least.Hour, budget)
	}
}
