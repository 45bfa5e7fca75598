// Package outside joins casework to the services that are not ours: the Personal
// Demographics Service and NHS login, by their clients and a configuration, or all
// of them simulated in this process for training.
//
// It has no rules: what an answer means for a case the clients and package
// casework say.
//
// # The laws
//
//   - Simulated services are for training alone; whoever uses them checks that.
//   - A secret is read from a file of its owner's, never from the command line or
//     the configuration itself.
//   - No error of this package names a patient.
package outside

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/counterproof/counterproof/agent/casework"
	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/agent/nhs/pds"
	"github.com/counterproof/counterproof/agent/nhs/provision"
)

// Config is the file that names the services. Keys that it does not know are
// refused, so that none is misspelt in silence.
type Config struct {
	PDS   PDS    `json:"pds"`   // needed
	Login *Login `json:"login"` // nil for no accounts
	// Sites gives the ODS code of the organisation that a site acts for, such as
	// a post office's; a site that is not named acts for itself.
	Sites map[string]string `json:"sites"`
}

// PDS is where the Personal Demographics Service is.
type PDS struct {
	Address string `json:"address"` // up to but without /Patient
	// TokenFile holds the access token of the moment; whoever renews it replaces
	// the file. "" asks without a token, as a sandbox allows.
	TokenFile string `json:"token_file"`
}

// Login is where NHS login makes accounts, and who we are there.
type Login struct {
	TokenURL     string `json:"token_url"`
	ProvisionURL string `json:"provision_url"`
	ClientID     string `json:"client_id"`
	KeyID        string `json:"key_id"`
	KeyFile      string `json:"key_file"` // RSA, PEM (PKCS #8 or #1), readable by its owner alone
}

// Bounds of the files, in bytes.
const (
	maxConfig = 64 << 10
	maxSecret = 64 << 10
)

// ReadConfig reads a configuration file.
func ReadConfig(path string) (Config, error) {
	text, err := ledger.ReadSmall(path, maxConfig)
	if err != nil {
		return Config{}, fmt.Errorf("reading the services: %w", err)
	}
	c, err := parse(text)
	if err != nil {
		return Config{}, fmt.Errorf("reading the services from %s: %w", path, err)
	}
	return c, nil
}

func parse(text []byte) (Config, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var c Config
	if err := dec.Decode(&c); err != nil {
		return Config{}, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Config{}, errors.New("there is text after its end")
	}
	if c.PDS.Address == "" {
		return Config{}, errors.New("pds.address is missing")
	}
	return c, nil
}

// Open makes the clients of the services. It asks nobody yet. There are no fraud
// sources and no practice's system among them: each needs a contract of its own.
func Open(c Config, log *slog.Logger) (casework.Services, error) {
	var s casework.Services
	cfg := pds.Config{Address: c.PDS.Address, Log: log}
	if file := c.PDS.TokenFile; file != "" {
		cfg.Token = func(context.Context) (string, error) {
			text, err := ledger.ReadSecret(file, maxSecret)
			return strings.TrimSpace(string(text)), err
		}
	}
	client, err := pds.New(cfg)
	if err != nil {
		return s, fmt.Errorf("opening the services: %w", err)
	}
	s.Records = records{client}
	if c.Login == nil {
		return s, nil
	}
	key, err := readKey(c.Login.KeyFile)
	if err != nil {
		return s, fmt.Errorf("opening the services: login.key_file: %w", err)
	}
	login, err := provision.New(provision.Config{
		TokenURL: c.Login.TokenURL, ProvisionURL: c.Login.ProvisionURL, ClientID: c.Login.ClientID, KeyID: c.Login.KeyID, Key: key,
	})
	if err != nil {
		return s, fmt.Errorf("opening the services: %w", err)
	}
	s.Accounts = accounts{client: login}
	return s, nil
}

// readKey reads an RSA key.
func readKey(path string) (*rsa.PrivateKey, error) {
	text, err := ledger.ReadSecret(path, maxSecret)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it holds no PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("it holds no private key")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the key is not an RSA key")
	}
	return key, nil
}
