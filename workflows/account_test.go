package workflows_test

import (
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

var (
	account = job.AccountInput{UserID: userID}
	erased  = job.AccountResult{Messages: 7}
)

func TestDeleteAccount(t *testing.T) {
	t.Run("ends files, messages and the row, in this order, however long it takes", func(t *testing.T) {
		w := newWorkflowFixture(t)
		var order []string
		appendStep := func(name string) func(mock.Arguments) { return func(mock.Arguments) { order = append(order, name) } }
		w.expect(job.ActivityRemoveAccountFiles, account, errAway).Times(40)
		w.expect(job.ActivityRemoveAccountFiles, account, nil).Once().Run(appendStep("files"))
		w.expect(job.ActivityAnonymiseMessages, account, job.AccountResult{}, errAway).Times(40)
		w.expect(job.ActivityAnonymiseMessages, account, erased, nil).Once().Run(appendStep("messages"))
		w.expect(job.ActivityRemoveAccount, account, errAway).Times(40)
		w.expect(job.ActivityRemoveAccount, account, nil).Once().Run(appendStep("row"))
		result, err := run[job.AccountResult](w, workflows.DeleteAccount, account)
		require.NoError(t, err)
		require.Equal(t, erased, result)
		require.Equal(t, []string{"files", "messages", "row"}, order)
	})
}
