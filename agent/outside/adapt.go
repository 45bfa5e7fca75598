package outside

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/counterproof/counterproof/agent/casework"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/nhs/pds"
	"github.com/counterproof/counterproof/agent/nhs/provision"
	"github.com/counterproof/counterproof/sync/wire"
)

// records is the search for NHS records, by PDS.
type records struct{ client *pds.Client }

// Match finds the record of a person.
func (r records) Match(ctx context.Context, c casework.Claimed) (casework.Match, *casework.Delay) {
	found, err := r.client.Match(ctx, pds.Claim{
		Person: c.Person, Zone: c.Zone, Postcode: c.Postcode, Number: c.Number, Site: c.ODS, Trace: trace(c.Rec),
	})
	if err != nil {
		return casework.Match{}, delay(err)
	}
	return match(found), nil
}

// match is what a search comes to. A number is passed on only with a record that
// an account may be made by, or that people may release.
func match(found pds.Result) casework.Match {
	m := casework.Match{Record: found.Record}
	switch found.Record {
	case nhs.OneExact:
		m.Number = found.Patient.Number
	case nhs.Stopped:
		m.Number = found.Patient.Number
		m.Live = found.Restricted && !found.Deceased && !found.Invalidated && !found.OtherNumber && found.Comparison.Verdict() == pds.Equal
	}
	return m
}

// delay says when a search is worth trying again. What only people can put right
// is an alarm.
func delay(err error) *casework.Delay {
	d := &casework.Delay{Alarm: pds.KindOf(err) != pds.Later, Err: err}
	if f, ok := errors.AsType[*pds.Fault](err); ok {
		d.Wait = f.After
	}
	return d
}

// trace is a UUID for a record (RFC 9562, version 8), so that a question that is
// asked again is known by its name.
func trace(rec wire.Hash) string {
	b := rec[:16]
	id := [16]byte(b)
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	text := hex.EncodeToString(id[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// accounts makes accounts, by NHS login.
type accounts struct {
	client *provision.Client
	// ods stands in for every organisation, where the service knows one only.
	ods string
}

// Provision asks for an account.
func (a accounts) Provision(ctx context.Context, p casework.Account) casework.Provisioned {
	r := provision.Request{NHSNumber: p.Number, Birth: p.Birth, Email: p.Email, Phone: p.Mobile, ProvisionerODS: p.ODS}
	if a.ods != "" {
		r.ProvisionerODS = a.ods
	}
	return provisioned(a.client.Provision(ctx, r))
}

// provisioned is what an answer means for a case. A fault of the e-mail address
// or the mobile number is the patient's to mend, any other is ours.
func provisioned(a provision.Answer) casework.Provisioned {
	p := casework.Provisioned{Wait: a.Wait, Err: a.Err, Disposition: casework.ConfigAlarm}
	switch a.Disposition {
	case provision.Done:
		p.Disposition = casework.Done
	case provision.Retry:
		p.Disposition = casework.Retry
	case provision.SlowDown:
		p.Disposition = casework.SlowDown
	case provision.Final:
		p.Disposition = casework.Final
	case provision.FixField:
		p.Disposition = casework.FixDetail
		if a.Field == provision.Email || a.Field == provision.Phone {
			p.Disposition = casework.FixContact
		}
	}
	return p
}
