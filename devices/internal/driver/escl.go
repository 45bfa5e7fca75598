package driver

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// What is being done, for a fault.
const scanning = "scanning the document"

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
	seat
	root   *url.URL
	client *http.Client
	scan   esclSettings
}

// OpenESCL asks a scanner what it can do. Faults: Missing where nothing answers,
// Unsupported where it has no flatbed.
func OpenESCL(ctx context.Context, cfg ESCLConfig) (*ESCL, error) {
	const op = "opening the scanner"
	s := &ESCL{seat: seat{id: cfg.ID}}
	root, err := url.Parse(strings.TrimRight(cfg.Root, "/"))
	if err != nil || root.Scheme != "http" && root.Scheme != "https" || root.Host == "" || root.User != nil {
		return nil, s.fault(op, devices.Unsupported, errNotHere)
	}
	s.root = root
	s.client = &http.Client{
		Transport:     cmp.Or[http.RoundTripper](cfg.Transport, house()),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var can esclCapabilities
	if err := s.read(ctx, &can); err != nil {
		return nil, s.fault(op, devices.Missing, err)
	}
	if can.Platen == nil {
		return nil, s.fault(op, devices.Unsupported, errNoFlatbed)
	}
	s.scan = can.settings()
	s.firmware = can.Model
	return s, nil
}

// house is a transport that reaches this house and this machine, and nobody
// else: a scan is a picture of somebody's passport.
func house() *http.Transport {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &http.Transport{
		ResponseHeaderTimeout: esclStall,
		DisableKeepAlives:     true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if a, ok := c.RemoteAddr().(*net.TCPAddr); !ok || !a.IP.IsPrivate() && !a.IP.IsLoopback() && !a.IP.IsLinkLocalUnicast() {
				return nil, errors.Join(errNotHere, c.Close())
			}
			return c, nil
		},
	}
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
	leave, err := s.take(ctx, scanning)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := whiteAlone(lights); err != nil {
		return nil, s.fault(scanning, devices.Unsupported, err)
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
	if s.leave() {
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
		return s.fault(scanning, devices.Cancelled, context.Cause(ctx))
	case late != nil && late.Timeout():
		return s.fault(scanning, devices.Timeout, errStall)
	case away:
		return s.fault(scanning, devices.Gone, errUnreached)
	}
	return s.fault(scanning, devices.Protocol, err)
}

// Why a scanner is not asked any more; the addresses stay out of faults.
var (
	errStall     = errors.New("it does not answer in time")
	errUnreached = errors.New("it cannot be reached")
)

// read asks what the scanner can do.
func (s *ESCL) read(ctx context.Context, can *esclCapabilities) error {
	resp, err := s.ask(ctx, http.MethodGet, s.root.JoinPath("ScannerCapabilities"), nil)
	if err != nil {
		return errUnreached
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil || resp.StatusCode != http.StatusOK || xml.Unmarshal(b, can) != nil {
		return &devices.Fault{Kind: devices.Protocol, Err: errAnswer}
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
		return nil, &devices.Fault{Kind: devices.InUse, Holder: "another computer"}
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
	if resp.StatusCode != http.StatusOK {
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

// isPicture reports whether bytes begin as a JPEG or a PNG does.
func isPicture(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0xff, markStart, 0xff}) || bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n"))
}
