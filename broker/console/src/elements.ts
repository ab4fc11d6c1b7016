// elements.ts - what every <element> is made with; build.mjs puts it into each file.
export { Fragment, h } from "preact";
