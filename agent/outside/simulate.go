package outside

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/counterproof/counterproof/agent/casework"
	"github.com/counterproof/counterproof/agent/nhs/pds"
	"github.com/counterproof/counterproof/agent/nhs/pdssim"
	"github.com/counterproof/counterproof/agent/nhs/provision"
	"github.com/counterproof/counterproof/agent/nhs/provisionsim"
	"github.com/counterproof/counterproof/agent/source"
)

// World is all services simulated in this process. The clients are the real ones;
// what they speak with answers by the rules of the real services, from tables of
// people who do not exist.
type World struct {
	casework.Services
	Sim   *source.Simulator // sources, practices, contacts, wishes
	PDS   *pdssim.Service
	Login *provisionsim.Service
}

// What the simulated login knows us by.
const (
	simClient = "counterproof-training"
	simODS    = "FWC87" // every training site acts for this organisation
	keyBits   = 2048
	// local is an address that no network lies before; nothing listens there, the
	// questions stay in this process.
	local = "http://localhost"
)

// Simulate starts a world of a table; the built-in one if it is empty. It opens
// no connection.
func Simulate(t source.Table, log *slog.Logger) (*World, error) {
	w, err := simulate(t, log)
	if err != nil {
		return nil, fmt.Errorf("simulating the services: %w", err)
	}
	return w, nil
}

func simulate(t source.Table, log *slog.Logger) (*World, error) {
	var w World
	var err error
	if w.Sim, err = source.NewSimulator(t); err != nil {
		return nil, err
	}
	patients, err := pdssim.Patients()
	if err != nil {
		return nil, err
	}
	var holders []provisionsim.Patient
	for _, p := range w.Sim.Table().People {
		if p.Number == "" {
			continue
		}
		patients = append(patients, patient(p))
		holders = append(holders, provisionsim.Patient{NHSNumber: p.Number, Birth: p.Birth, Record: standing(p)})
	}
	if w.PDS, err = pdssim.New(pdssim.Config{Patients: patients}); err != nil {
		return nil, err
	}
	search, err := pds.New(pds.Config{
		Address: local, Transport: within{w.PDS}, Log: log,
		Token: func(context.Context) (string, error) { return simClient, nil },
	})
	if err != nil {
		return nil, err
	}
	login, err := w.login(holders)
	if err != nil {
		return nil, err
	}
	w.Services = casework.Services{
		Sources: w.Sim.Sources(), Practice: w.Sim.Practice(), Records: records{search},
		Accounts: accounts{login, simODS}, Contacts: w.Sim, Wishes: w.Sim,
	}
	return &w, nil
}

// login starts the simulated login and a client of it.
func (w *World) login(holders []provisionsim.Patient) (*provision.Client, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	w.Login, err = provisionsim.New(provisionsim.Config{
		ClientID: simClient, Key: &key.PublicKey, TokenURL: local + "/token", Enabled: []string{simODS}, Patients: holders,
	})
	if err != nil {
		return nil, err
	}
	return provision.New(provision.Config{
		TokenURL: local + "/token", ProvisionURL: local + "/provision-account", ClientID: simClient, Key: key, Transport: within{w.Login},
	})
}

// patient is a person of the table as PDS has one.
func patient(p source.Person) pdssim.Patient {
	out := pdssim.Patient{
		Number: p.Number, Version: 1, Names: []pdssim.Name{{Family: p.Surname, Given: strings.Fields(p.Given)}}, Birth: p.Birth,
		Restricted: p.Record == "restricted", Invalidated: p.Record == "withdrawn",
	}
	if p.Postcode != "" {
		out.Addresses = []pdssim.Address{{Postcode: p.Postcode}}
	}
	if p.Record == "deceased" {
		out.DeathNotice = "2"
	}
	return out
}

// standing is how a person's record stands, as the login has it.
func standing(p source.Person) provisionsim.Record {
	return map[string]provisionsim.Record{
		"restricted": provisionsim.Restricted, "deceased": provisionsim.Deceased, "withdrawn": provisionsim.Invalidated,
	}[p.Record]
}

// within carries requests to a handler of this process.
type within struct{ handler http.Handler }

// RoundTrip has the handler answer.
func (w within) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	a := &answer{header: http.Header{}, status: http.StatusOK}
	w.handler.ServeHTTP(a, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: r,
	}, nil
}

// answer collects what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is the answer's header.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the status.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write keeps a piece of the body.
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
