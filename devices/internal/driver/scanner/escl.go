// Package scanner scans documents: by eSCL over the house's network, without a
// maker's driver, and by the system's SANE, in a child process.
//
// It finds no scanner, keeps no picture and scans nothing twice.
//
// # The laws
//
//   - One call, one scan. While a scanner warms up the same job is asked for again,
//     never another.
//   - A picture of a passport goes to addresses of this house alone, through no
//     proxy and after no redirection.
//   - What a scanner or a child says is bounded, and a picture by its pixels too.
package scanner

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/driver/seat"
)

// What is being done, for a fault.
const scanning = "scanning the document"

// anotherComputer is who has a network scanner that is busy.
const anotherComputer = "another computer"

// Bounds on a network scanner.
const (
	maxAnswer  = 1 << 20  // bytes of XML
	maxScan    = 64 << 20 // bytes of a picture
	esclTries  = 30       // while the scanner says that it is not ready yet
	esclPause  = time.Second
	esclDetail = 400 // dots per inch that a document is worth
	esclStall  = 30 * time.Second
)

// Reasons why a network scanner does not scan.
var (
	errNotHere   = errors.New("the address is not one of a scanner in this house")
	errElsewhere = errors.New("the scanner sends to another address")
	errAnswer    = errors.New("the scanner's answer makes no sense")
	errNoFlatbed = errors.New("it has no flatbed")
	errNoPage    = errors.New("the scanner has no page for the job")
	errPanel     = errors.New("it was cancelled at the scanner")
	errFeeder    = errors.New("nothing lies in the feeder")
	errCover     = errors.New("its cover is open")
	errJam       = errors.New("the paper is stuck")
)

// ESCLConfig says which network scanner is used.
type ESCLConfig struct {
	ID   devices.ID
	Root string // "http://192.0.2.7/eSCL"
	// Transport carries the requests; nil is one that goes to the private
	// addresses of a house alone and through no proxy.
	Transport http.RoundTripper
}

// ESCL is a network scanner that speaks eSCL (Mopria Alliance, eSCL Technical
// Specification 2.97), without a driver of its maker's.
type ESCL struct {
	seat.Seat
	root   *url.URL
	client *http.Client
	scan   esclSettings
}

// OpenESCL asks a scanner what it can do. Faults: Missing where nothing answers,
// Unsupported where it has no flatbed.
func OpenESCL(ctx context.Context, cfg ESCLConfig) (*ESCL, error) {
	const op = "opening the scanner"
	s := &ESCL{Seat: seat.Seat{ID: cfg.ID}}
	root, err := url.Parse(strings.TrimRight(cfg.Root, "/"))
	if err != nil || root.Scheme != "http" && root.Scheme != "https" || root.Host == "" || root.User != nil {
		return nil, s.Fault(op, devices.Unsupported, errNotHere)
	}
	s.root = root
	s.client = &http.Client{
		Transport:     cmp.Or[http.RoundTripper](cfg.Transport, house()),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var can esclCapabilities
	if err := s.read(ctx, &can); err != nil {
		return nil, s.Fault(op, devices.Missing, err)
	}
	if can.Platen == nil {
		return nil, s.Fault(op, devices.Unsupported, errNoFlatbed)
	}
	s.scan = can.settings()
	s.Tell(can.Model)
	return s, nil
}

// house is a transport that reaches this house and this machine, and nobody
// else: a scan is a picture of somebody's passport.
func house() *http.Transport {
	dialer := net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if ip := at.Addr(); err != nil || !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			return errNotHere // before a packet goes there
		}
		return nil
	}}
	return &http.Transport{ResponseHeaderTimeout: esclStall, DisableKeepAlives: true, DialContext: dialer.DialContext}
}

// esclCapabilities is what a scanner says of itself (ScannerCapabilities).
type esclCapabilities struct {
	Version string      `xml:"Version"`
	Model   string      `xml:"MakeAndModel"`
	Platen  *esclPlaten `xml:"Platen>PlatenInputCaps"`
}

type esclPlaten struct {
	Width   int   `xml:"MaxWidth"` // 1/300 inch
	Height  int   `xml:"MaxHeight"`
	Details []int `xml:"SettingProfiles>SettingProfile>SupportedResolutions>DiscreteResolutions>DiscreteResolution>XResolution"`
}

// esclSettings is what is asked for (ScanSettings).
type esclSettings struct {
	version       string
	width, height int // 1/300 inch
	detail        int // dots per inch
}

// settings chooses what a document is worth: the least detail that is enough, or
// the most there is, and the page that a passport or a letter needs.
func (c esclCapabilities) settings() esclSettings {
	s := esclSettings{version: "2.0", width: 2550, height: 3508, detail: 300}
	if v := c.Version; len(v) > 0 && len(v) < 8 && strings.Trim(v, "0123456789.") == "" {
		s.version = v
	}
	best := 0
	for _, d := range c.Platen.Details {
		if d < 75 || d > 4800 {
			continue
		}
		if best == 0 || best < esclDetail && d > best || d >= esclDetail && d < best {
			best = d
		}
	}
	s.detail = cmp.Or(best, s.detail)
	if w := c.Platen.Width; w > 0 {
		s.width = min(s.width, w)
	}
	if h := c.Platen.Height; h > 0 {
		s.height = min(s.height, h)
	}
	return s
}

// body is the request for a scan from the flatbed, in colour, as JPEG.
func (s esclSettings) body() []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<scan:ScanSettings xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm">
<pwg:Version>%s</pwg:Version>
<scan:Intent>Photo</scan:Intent>
<pwg:ScanRegions pwg:MustHonor="false"><pwg:ScanRegion><pwg:ContentRegionUnits>escl:ThreeHundredthsOfInches</pwg:ContentRegionUnits>`+
		`<pwg:XOffset>0</pwg:XOffset><pwg:YOffset>0</pwg:YOffset><pwg:Width>%d</pwg:Width><pwg:Height>%d</pwg:Height></pwg:ScanRegion></pwg:ScanRegions>
<pwg:InputSource>Platen</pwg:InputSource>
<scan:ColorMode>RGB24</scan:ColorMode>
<pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat>
<scan:DocumentFormatExt>image/jpeg</scan:DocumentFormatExt>
<scan:XResolution>%d</scan:XResolution>
<scan:YResolution>%d</scan:YResolution>
</scan:ScanSettings>
`, s.version, s.width, s.height, s.detail, s.detail)
}

// Scan takes one picture. Such scanners have white light alone.
func (s *ESCL) Scan(ctx context.Context, lights []devices.Light) ([][]byte, error) {
	leave, err := s.Take(ctx, scanning)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := whiteAlone(lights); err != nil {
		return nil, s.Fault(scanning, devices.Unsupported, err)
	}
	job, err := s.begin(ctx)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	page, err := s.page(ctx, job)
	s.forget(ctx, job)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return [][]byte{page}, nil
}

// Close lets go of the scanner; a scan that runs ends with its context.
func (s *ESCL) Close() error {
	if s.Leave() {
		s.client.CloseIdleConnections()
	}
	return nil
}

// failed is the fault of a scan.
func (s *ESCL) failed(ctx context.Context, err error) error {
	_, away := errors.AsType[*net.OpError](err)
	late, _ := errors.AsType[net.Error](err)
	switch {
	case ctx.Err() != nil:
		return s.Fault(scanning, devices.Cancelled, context.Cause(ctx))
	case late != nil && late.Timeout():
		return s.Fault(scanning, devices.Timeout, errStall)
	case away:
		return s.Fault(scanning, devices.Gone, errUnreached)
	}
	return s.Fault(scanning, devices.Protocol, err)
}

// Why a scanner is not asked any more; the addresses stay out of faults.
var (
	errStall     = errors.New("it does not answer in time")
	errUnreached = errors.New("it cannot be reached")
)

// read asks what the scanner can do.
func (s *ESCL) read(ctx context.Context, can *esclCapabilities) error {
	return s.learn(ctx, "ScannerCapabilities", can)
}

// learn reads an answer in XML.
func (s *ESCL) learn(ctx context.Context, what string, into any) error {
	resp, err := s.ask(ctx, http.MethodGet, s.root.JoinPath(what), nil)
	switch {
	case errors.Is(err, errNotHere):
		return &devices.Fault{Kind: devices.Unsupported, Err: errNotHere}
	case err != nil:
		return errUnreached
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil || resp.StatusCode != http.StatusOK || xml.Unmarshal(b, into) != nil {
		return &devices.Fault{Kind: devices.Protocol, Err: errAnswer}
	}
	return nil
}

// esclStatus is how a scanner stands (ScannerStatus).
type esclStatus struct {
	State  string `xml:"State"`
	Feeder string `xml:"AdfState"`
	Jobs   []struct {
		URI   string `xml:"JobUri"`
		State string `xml:"JobState"`
	} `xml:"Jobs>JobInfo"`
}

// why is what the scanner says of a job that gave no page, or was not begun: then
// path is empty. Nothing is that it does not say.
func (s *ESCL) why(ctx context.Context, path string) error {
	var now esclStatus
	if s.learn(ctx, "ScannerStatus", &now) != nil {
		return nil // what is known already is told
	}
	for _, j := range now.Jobs {
		if path != "" && strings.HasSuffix(j.URI, path) && j.State == "Canceled" {
			return &devices.Fault{Kind: devices.Cancelled, Err: errPanel}
		}
	}
	if path == "" && now.State == "Processing" {
		return &devices.Fault{Kind: devices.InUse, Holder: anotherComputer}
	}
	switch now.Feeder {
	case "ScannerAdfEmpty":
		return &devices.Fault{Kind: devices.PaperOut, Err: errFeeder}
	case "ScannerAdfHatchOpen":
		return &devices.Fault{Kind: devices.CoverOpen, Err: errCover}
	case "ScannerAdfJam", "ScannerAdfMispick":
		return &devices.Fault{Kind: devices.Protocol, Err: errJam}
	}
	return nil
}

// begin asks for a scan and tells where its pages are.
func (s *ESCL) begin(ctx context.Context) (*url.URL, error) {
	resp, err := s.patiently(ctx, http.MethodPost, s.root.JoinPath("ScanJobs"), s.scan.body())
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusCreated:
	case http.StatusConflict:
		return nil, cmp.Or[error](s.why(ctx, ""), &devices.Fault{Kind: devices.InUse, Holder: anotherComputer})
	default:
		return nil, fmt.Errorf("%w: status %d", errAnswer, resp.StatusCode)
	}
	job, err := s.root.Parse(resp.Header.Get("Location"))
	if err != nil || job.Host != s.root.Host && job.Hostname() != s.root.Hostname() {
		return nil, errElsewhere
	}
	job.Scheme, job.Host = s.root.Scheme, s.root.Host // some say http behind https, or forget their port
	return job, nil
}

// page fetches the one page of a job.
func (s *ESCL) page(ctx context.Context, job *url.URL) ([]byte, error) {
	resp, err := s.patiently(ctx, http.MethodGet, job.JoinPath("NextDocument"), nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, cmp.Or[error](s.why(ctx, job.Path), errNoPage)
	default:
		return nil, fmt.Errorf("%w: status %d", errAnswer, resp.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxScan+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxScan || !isPicture(b):
		return nil, errAnswer
	}
	return b, nil
}

// forget tells the scanner that it need not keep the job, with a context of its
// own: a scan that was given up is forgotten too.
func (s *ESCL) forget(ctx context.Context, job *url.URL) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), esclPause)
	defer cancel()
	if resp, err := s.ask(ctx, http.MethodDelete, job, nil); err == nil {
		_ = resp.Body.Close()
	}
}

// patiently asks again while the scanner warms up: the same job, not another.
func (s *ESCL) patiently(ctx context.Context, method string, to *url.URL, body []byte) (*http.Response, error) {
	for try := 1; ; try++ {
		resp, err := s.ask(ctx, method, to, body)
		if err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			return resp, err
		}
		_ = resp.Body.Close()
		if try == esclTries {
			return nil, &devices.Fault{Kind: devices.Timeout, Err: errStall}
		}
		pause := time.NewTimer(esclPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		case <-pause.C:
		}
	}
}

// ask sends one request.
func (s *ESCL) ask(ctx context.Context, method string, to *url.URL, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "text/xml")
	}
	return s.client.Do(req)
}

// whiteAlone refuses lights that a scanner for paper has not.
func whiteAlone(lights []devices.Light) error {
	if len(lights) != 1 || lights[0] != devices.White {
		return errors.New("it has white light alone")
	}
	return nil
}

// maxPixels bounds a picture: a page in the highest detail that is of use. A few
// bytes can promise a picture that no memory holds.
const maxPixels = 150_000_000

// isPicture reports whether bytes begin as a JPEG or PNG picture of a size that
// can be.
func isPicture(b []byte) bool {
	size := png.DecodeConfig
	if bytes.HasPrefix(b, []byte{0xff, 0xd8}) {
		size = jpeg.DecodeConfig
	}
	c, err := size(bytes.NewReader(b))
	return err == nil && c.Width > 0 && c.Height > 0 && c.Width <= maxPixels/c.Height
}
