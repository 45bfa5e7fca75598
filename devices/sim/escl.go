package sim

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/counterproof/counterproof/devices"
)

// ESCL offers a document scanner to the network as eSCL scanners do (Mopria
// Alliance, eSCL Technical Specification 2.97): one scan from the flatbed, by
// white light. It is an http.Handler for the path /eSCL/ and everything below.
// It keeps one scan until it was fetched or given up.
//
// A scanner that fails plays its trouble in the way of the protocol: InUse is
// another computer's scan, PaperOut an empty feeder, CoverOpen its open lid,
// Cancelled a scan that somebody ends at the scanner; any other is an error of
// the server.
type ESCL struct {
	scanner devices.DocumentScanner
	// Warming is how many requests for a scan or a page are put off before one is
	// answered, as scanners do while their lamp warms up.
	Warming int

	mu   sync.Mutex
	put  int
	jobs int
	open bool
	page []byte       // of the open job, nil once it was fetched
	why  devices.Kind // the trouble of the last job
}

// NewESCL makes a handler of a scanner.
func NewESCL(scanner devices.DocumentScanner) *ESCL { return &ESCL{scanner: scanner} }

// capabilities is what it says of itself.
const capabilities = `<?xml version="1.0" encoding="UTF-8"?>
<scan:ScannerCapabilities xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm">
<pwg:Version>2.63</pwg:Version><pwg:MakeAndModel>Counterproof simulated flatbed</pwg:MakeAndModel><pwg:SerialNumber>TRAINING</pwg:SerialNumber>
<scan:Platen><scan:PlatenInputCaps><scan:MinWidth>16</scan:MinWidth><scan:MaxWidth>2550</scan:MaxWidth><scan:MinHeight>16</scan:MinHeight>` +
	`<scan:MaxHeight>3508</scan:MaxHeight><scan:MaxScanRegions>1</scan:MaxScanRegions><scan:SettingProfiles><scan:SettingProfile>` +
	`<scan:ColorModes><scan:ColorMode>RGB24</scan:ColorMode></scan:ColorModes>` +
	`<scan:DocumentFormats><pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat><scan:DocumentFormatExt>image/jpeg</scan:DocumentFormatExt></scan:DocumentFormats>` +
	`<scan:SupportedResolutions><scan:DiscreteResolutions>` +
	`<scan:DiscreteResolution><scan:XResolution>200</scan:XResolution><scan:YResolution>200</scan:YResolution></scan:DiscreteResolution>` +
	`<scan:DiscreteResolution><scan:XResolution>400</scan:XResolution><scan:YResolution>400</scan:YResolution></scan:DiscreteResolution>` +
	`<scan:DiscreteResolution><scan:XResolution>600</scan:XResolution><scan:YResolution>600</scan:YResolution></scan:DiscreteResolution>` +
	`</scan:DiscreteResolutions></scan:SupportedResolutions></scan:SettingProfile></scan:SettingProfiles></scan:PlatenInputCaps></scan:Platen>
</scan:ScannerCapabilities>
`

// status is how it stands: its state, its feeder's, and the last job with its
// state.
const status = `<?xml version="1.0" encoding="UTF-8"?>
<scan:ScannerStatus xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm">
<pwg:Version>2.63</pwg:Version><pwg:State>%s</pwg:State><scan:AdfState>%s</scan:AdfState>
<scan:Jobs><scan:JobInfo><pwg:JobUri>/eSCL/ScanJobs/%d</pwg:JobUri><pwg:JobState>%s</pwg:JobState></scan:JobInfo></scan:Jobs>
</scan:ScannerStatus>
`

// stands tells how it stands.
func (e *ESCL) stands(w io.Writer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	state, feeder, job := "Idle", "ScannerAdfLoaded", "Completed"
	switch {
	case e.open && e.page != nil, e.why == devices.InUse:
		state = "Processing"
	}
	switch e.why {
	case devices.PaperOut:
		feeder = "ScannerAdfEmpty"
	case devices.CoverOpen:
		feeder = "ScannerAdfHatchOpen"
	case devices.Cancelled:
		job = "Canceled"
	}
	_, _ = fmt.Fprintf(w, status, state, feeder, e.jobs, job)
}

// maxTicket bounds a request for a scan, in bytes.
const maxTicket = 64 << 10

// ServeHTTP answers one request.
func (e *ESCL) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/eSCL/")
	job, next := strings.CutSuffix(strings.TrimPrefix(path, "ScanJobs/"), "/NextDocument")
	switch {
	case r.Method == http.MethodGet && path == "ScannerCapabilities":
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, capabilities)
	case r.Method == http.MethodGet && path == "ScannerStatus":
		w.Header().Set("Content-Type", "text/xml")
		e.stands(w)
	case r.Method == http.MethodPost && path == "ScanJobs":
		e.begin(w, r)
	case r.Method == http.MethodGet && next:
		e.deliver(w, job)
	case r.Method == http.MethodDelete && strings.HasPrefix(path, "ScanJobs/"):
		e.end(w, job)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// cold reports whether a request is put off.
func (e *ESCL) cold(w http.ResponseWriter) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.put >= e.Warming {
		e.put = 0
		return false
	}
	e.put++
	w.WriteHeader(http.StatusServiceUnavailable)
	return true
}

// begin scans.
func (e *ESCL) begin(w http.ResponseWriter, r *http.Request) {
	if e.cold(w) {
		return
	}
	var ticket struct {
		Source string `xml:"InputSource"`
		Form   string `xml:"DocumentFormat"`
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTicket))
	if err != nil || xml.Unmarshal(b, &ticket) != nil || ticket.Source != "Platen" || ticket.Form != "image/jpeg" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open {
		w.WriteHeader(http.StatusConflict)
		return
	}
	page, err := e.scan(r.Context())
	switch e.why = devices.KindOf(err); {
	case e.why == devices.InUse, e.why == devices.PaperOut, e.why == devices.CoverOpen:
		w.WriteHeader(http.StatusConflict)
		return
	case err != nil && e.why != devices.Cancelled:
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	e.jobs, e.open, e.page = e.jobs+1, true, page
	w.Header().Set("Location", fmt.Sprintf("http://%s/eSCL/ScanJobs/%d", r.Host, e.jobs))
	w.WriteHeader(http.StatusCreated)
}

// scan takes the one picture.
func (e *ESCL) scan(ctx context.Context) ([]byte, error) {
	pages, err := e.scanner.Scan(ctx, []devices.Light{devices.White})
	if err == nil && len(pages) != 1 {
		err = errors.New("it did not scan one page")
	}
	if err != nil {
		return nil, err
	}
	return pages[0], nil
}

// deliver gives the page of the open job, once.
func (e *ESCL) deliver(w http.ResponseWriter, job string) {
	if e.cold(w) {
		return
	}
	e.mu.Lock()
	page := e.page
	if e.open && job == fmt.Sprint(e.jobs) {
		e.page = nil
	} else {
		page = nil
	}
	e.mu.Unlock()
	if page == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(page)
}

// end forgets a job.
func (e *ESCL) end(w http.ResponseWriter, job string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.open || job != fmt.Sprint(e.jobs) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	e.open, e.page = false, nil
}
