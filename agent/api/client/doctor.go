package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// Doctor asks what is wrong with the counter; it needs no session.
func (c *Client) Doctor(ctx context.Context) (api.Checkup, error) {
	return call[api.Checkup](ctx, c, http.MethodGet, api.PathDoctor, nil)
}

// Try has a device tried; it waits until that is over.
func (c *Client) Try(ctx context.Context, in api.Trial) (api.TrialResult, error) {
	return call[api.TrialResult](ctx, c, http.MethodPost, api.PathTrial, in)
}

// Identify tells which reader of a kind somebody uses now.
func (c *Client) Identify(ctx context.Context, can string) (api.TrialResult, error) {
	return call[api.TrialResult](ctx, c, http.MethodPost, api.PathIdentify, api.Trial{Can: can})
}

// PrintFindings prints what Doctor tells.
func (c *Client) PrintFindings(ctx context.Context) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, api.PathFindings, struct{}{})
	return err
}

// Light tells the light before the camera of a role about twice a second, until
// ctx ends, show says no, a visit begins or the daemon goes away.
func (c *Client) Light(ctx context.Context, role string, show func(api.Light) bool) error {
	resp, err := c.send(ctx, http.MethodGet, api.PathLight+"?"+url.Values{"role": {role}}.Encode(), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		var l api.Light
		if err := json.Unmarshal([]byte(data), &l); err != nil {
			return &proof.Error{Op: "reading the light", Kind: proof.KindInternal, Err: err}
		}
		if !show(l) {
			return nil
		}
	}
	return away("reading the light", errors.Join(lines.Err(), ctx.Err()))
}
