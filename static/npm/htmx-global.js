// The extension for server-sent events looks for htmx here.
import { restore } from './attributes.js';
import htmx from 'htmx.org';

restore();

// Nothing in a page is run as a script: the policy of every page forbids it.
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.historyEnabled = false;
window.htmx = htmx;
