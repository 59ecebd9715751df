// Starts s3rver, an S3 server that ignores If-None-Match, on a free loopback port over the folder in argv[2], with the
// bucket "test-bucket". Prints "ready PORT"; ends when stdin does.
const S3rver = require('s3rver');

const server = new S3rver({
  port: 0,
  address: '127.0.0.1',
  directory: process.argv[2],
  silent: true,
  configureBuckets: [{ name: 'test-bucket', configs: [] }],
});

server.run((error, address) => {
  if (error) {
    console.error(error);
    process.exit(1);
  }
  console.log(`ready ${address.port}`);
});
process.stdin.on('end', () => process.exit(0)).resume();
