// The rule builder's own behaviour, on its pages only. The form and its steps work without.
import "./builder/steps.js";
import "./builder/dragging.js";
import "./builder/history.js";
import "./builder/values.js";
import "./builder/chips.js";
import "./builder/days.js";
import "./builder/beside.js";
import "./builder/finish.js";
import "./builder/count.js";
