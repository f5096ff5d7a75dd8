// Package report renders an activity report: as CSV, as a page, as a table in words, and as pictures for emails.
//
// A charting library draws the charts. On the page they are SVG whose elements have classes and no styles, since the
// page's policy allows no inline styles; web/assets/report.css has the colours. Lines can be told apart without
// colours: each has its name beside it and its own pattern.
package report
