// Package report shows what an activity report holds: as CSV, as a page, as a table in words, and as pictures for
// emails.
//
// Charts are drawn by a charting library. On the page they are SVG whose elements have classes and no styles, since the
// page's policy allows no inline ones; web/assets/report.css gives them their colours. What a line says does not depend
// on its colour: each has its name beside it and a pattern of its own.
package report
