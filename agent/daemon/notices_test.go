package daemon_test

import (
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// A clerk who asks the centre for news hears why there is none, and the list of
// before stays readable.
func TestLookForNews(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.run()
	if _, err := c.client.LookForNews(t.Context()); proof.KindOf(err) != proof.KindSessionEnded {
		t.Errorf("somebody who did not sign in is answered: %v", err)
	}
	c.first()
	if list, err := c.client.LookForNews(t.Context()); err != nil || list.Notices == nil || len(list.Notices) != 0 {
		t.Errorf("got %+v, %v; want no news", list, err)
	}
	c.centre.stop()
	if _, err := c.client.LookForNews(t.Context()); proof.KindOf(err) != proof.KindCentreUnreachable {
		t.Errorf("without a centre: got %v, want %s", err, proof.KindCentreUnreachable)
	}
	if _, err := c.client.Notices(t.Context()); err != nil {
		t.Errorf("without a centre the list cannot be read: %v", err)
	}
}
