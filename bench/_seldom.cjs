// Preloaded into Azurite while it is filled: it writes all of its tables anew every five seconds,
// which at 300 MB leaves it little time for anything else. Once a minute is enough here.
const Loki = require("lokijs");
const own = Loki.prototype.autosaveEnable;
Loki.prototype.autosaveEnable = function (options, callback) {
  this.autosaveInterval = 60000;
  return own.call(this, options, callback);
};
